use crate::support::{Tensor, close, plain, ready, run};
use onednn::ops::batch_normalization::{Config, backward, forward};
use onednn::{Attr, PropKind, arg};

const DIMS: [usize; 4] = [4, 19, 5, 3];
const C: usize = 19;
/// Values of one channel.
const COUNT: usize = 4 * 5 * 3;

/// What the forward and backward formulas give in f64.
struct Reference {
    y: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    dx: Vec<f32>,
    dscale: Vec<f32>,
    dshift: Vec<f32>,
}

fn reference(x: &[f32], g: &[f32], scale: &[f32], shift: &[f32], relu: bool) -> Reference {
    let zeros = || vec![0.0; x.len()];
    let mut r = Reference {
        y: zeros(),
        mean: vec![],
        variance: vec![],
        dx: zeros(),
        dscale: vec![],
        dshift: vec![],
    };
    let plane = 5 * 3;
    for c in 0..C {
        let at = |i: usize| (i / plane * C + c) * plane + i % plane;
        let sum = |f: &dyn Fn(usize) -> f64| (0..COUNT).map(|i| f(at(i))).sum::<f64>();
        let count = COUNT as f64;
        let mean = sum(&|i| f64::from(x[i])) / count;
        let variance = sum(&|i| (f64::from(x[i]) - mean).powi(2)) / count;
        let inverse = 1.0 / (variance + 1e-5).sqrt();
        let normal = |i: usize| (f64::from(x[i]) - mean) * inverse;
        let value = |i: usize| f64::from(scale[c]) * normal(i) + f64::from(shift[c]);
        let gradient = |i: usize| if relu && value(i) <= 0.0 { 0.0 } else { f64::from(g[i]) };
        let dshift = sum(&gradient);
        let dscale = sum(&|i| gradient(i) * normal(i));
        for i in (0..COUNT).map(at) {
            r.y[i] = if relu { value(i).max(0.0) } else { value(i) } as f32;
            let centred = gradient(i) - dshift / count - normal(i) * dscale / count;
            r.dx[i] = (f64::from(scale[c]) * inverse * centred) as f32;
        }
        r.mean.push(mean as f32);
        r.variance.push(variance as f32);
        r.dscale.push(dscale as f32);
        r.dshift.push(dshift as f32);
    }
    r
}

#[test]
fn training_equals_the_formulas_with_and_without_fused_relu() {
    if !ready() {
        return;
    }
    let (x, g) = (Tensor::quarters(&DIMS, 1), Tensor::quarters(&DIMS, 2));
    let (scale, shift) = (Tensor::quarters(&[C], 3), Tensor::quarters(&[C], 4));
    for fuse_norm_relu in [false, true] {
        let config = Config { fuse_norm_relu, ..Config::default() };
        let prop = PropKind::ForwardTraining;
        let hint = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
        let y = Tensor::new(hint.dst_md(0));
        let (mean, variance) = (Tensor::new(hint.dst_md(1)), Tensor::new(hint.dst_md(2)));
        let workspace = Tensor::new(hint.workspace_md());
        assert_eq!(workspace.md.is_empty(), !fuse_norm_relu);
        let args = [
            (arg::SRC, &x),
            (arg::SCALE, &scale),
            (arg::SHIFT, &shift),
            (arg::DST, &y),
            (arg::MEAN, &mean),
            (arg::VARIANCE, &variance),
            (arg::WORKSPACE, &workspace),
        ];
        run(&hint, &args);
        // Sums of 60 terms of magnitude 2 in f32: a few units in the last place.
        let tolerance = 1e-5;
        let r =
            reference(&x.values(), &g.values(), &scale.values(), &shift.values(), fuse_norm_relu);
        close(&y.values(), &r.y, tolerance);
        close(&mean.values(), &r.mean, tolerance);
        close(&variance.values(), &r.variance, tolerance);

        let desc = backward(PropKind::Backward, &x.md, &g.md, &x.md, &config, &hint).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        let (dscale, dshift) = (Tensor::new(plain(&[C])), Tensor::new(plain(&[C])));
        let args = [
            (arg::SRC, &x),
            (arg::MEAN, &mean),
            (arg::VARIANCE, &variance),
            (arg::DIFF_DST, &g),
            (arg::SCALE, &scale),
            (arg::WORKSPACE, &workspace),
            (arg::DIFF_SRC, &dx),
            (arg::DIFF_SCALE, &dscale),
            (arg::DIFF_SHIFT, &dshift),
        ];
        run(&desc, &args);
        close(&dx.values(), &r.dx, tolerance);
        close(&dscale.values(), &r.dscale, tolerance);
        close(&dshift.values(), &r.dshift, tolerance);
    }
}

#[test]
fn inference_uses_the_given_statistics() {
    if !ready() {
        return;
    }
    let x = Tensor::quarters(&DIMS, 5);
    let mean = Tensor::quarters(&[C], 6);
    let variance = Tensor::of(&[C], &[3.75; C]);
    let config = Config {
        epsilon: 0.25,
        use_global_stats: true,
        use_scale: false,
        use_shift: false,
        fuse_norm_relu: false,
    };
    let prop = PropKind::ForwardInference;
    let desc = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
    let y = Tensor::new(desc.dst_md(0));
    let args = [(arg::SRC, &x), (arg::MEAN, &mean), (arg::VARIANCE, &variance), (arg::DST, &y)];
    run(&desc, &args);
    let mean = mean.values();
    let expected: Vec<f32> =
        x.values().iter().enumerate().map(|(i, v)| (v - mean[i / 15 % C]) / 2.0).collect();
    close(&y.values(), &expected, 1e-6);
}
