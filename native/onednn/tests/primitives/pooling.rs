use crate::support::{Tensor, any, dot, plain, ready, run};
use onednn::ops::pooling::{self, Algorithm, Config};
use onednn::{Attr, PropKind, arg};

const SRC: [usize; 4] = [2, 19, 7, 6];
const DST: [usize; 4] = [2, 19, 4, 3];

/// Window 3x2, stride 2, one row of padding above and below.
fn config(algorithm: Algorithm) -> Config {
    let mut config = Config::new(algorithm, &[3, 2]);
    config.strides = vec![2, 2];
    config.padding_l = vec![1, 0];
    config.padding_r = vec![1, 0];
    config
}

fn naive(src: &[f32], algorithm: Algorithm) -> Vec<f32> {
    let mut dst = Vec::new();
    for plane in src.chunks(7 * 6) {
        for (y, x) in (0..4).flat_map(|y| (0..3).map(move |x| (y, x))) {
            let rows = (2 * y..2 * y + 3).filter(|r| (1..8).contains(r)).map(|r| r - 1);
            let window: Vec<f32> =
                rows.flat_map(|r| [plane[r * 6 + 2 * x], plane[r * 6 + 2 * x + 1]]).collect();
            let sum: f32 = window.iter().sum();
            dst.push(match algorithm {
                Algorithm::Max => window.iter().copied().fold(f32::NEG_INFINITY, f32::max),
                Algorithm::AverageIncludePadding => sum / 6.0,
                Algorithm::AverageExcludePadding => sum / window.len() as f32,
            });
        }
    }
    dst
}

#[test]
fn forward_equals_naive_loops_and_backward_is_its_adjoint() {
    if !ready() {
        return;
    }
    // Distinct values, so that every maximum is in one place; still exact in f32.
    let n: usize = SRC.iter().product();
    let values: Vec<f32> = (0..n).map(|i| ((i * 701) % n) as f32 / 4.0 - 100.0).collect();
    let x = Tensor::of(&SRC, &values);
    for algorithm in
        [Algorithm::Max, Algorithm::AverageIncludePadding, Algorithm::AverageExcludePadding]
    {
        let config = config(algorithm);
        let prop = PropKind::ForwardTraining;
        let forward = pooling::forward(prop, &x.md, &any(&DST), &config, &Attr::new()).unwrap();
        let y = Tensor::new(forward.dst_md(0));
        let workspace = Tensor::new(forward.workspace_md());
        assert_eq!(workspace.md.is_empty(), algorithm != Algorithm::Max);
        run(&forward, &[(arg::SRC, &x), (arg::DST, &y), (arg::WORKSPACE, &workspace)]);
        // Division by 6 rounds once; oneDNN may multiply by the reciprocal.
        crate::support::close(&y.values(), &naive(&values, algorithm), 1e-6);

        let g = Tensor::quarters(&DST, 2);
        let desc = pooling::backward(&plain(&SRC), &plain(&DST), &config, &forward).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        let args = [(arg::DIFF_DST, &g), (arg::WORKSPACE, &workspace), (arg::DIFF_SRC, &dx)];
        run(&desc, &args);
        let (left, right) = (dot(&y, &g), dot(&x, &dx));
        assert!((left - right).abs() <= 1e-5 * left.abs(), "{algorithm:?}: {left} {right}");
    }
}

#[test]
fn inference_needs_no_workspace() {
    if !ready() {
        return;
    }
    let config = config(Algorithm::Max);
    let prop = PropKind::ForwardInference;
    let desc = pooling::forward(prop, &plain(&SRC), &plain(&DST), &config, &Attr::new()).unwrap();
    assert!(desc.workspace_md().is_empty());
}
