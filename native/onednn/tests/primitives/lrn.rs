use crate::support::{Tensor, close, ready, run};
use onednn::ops::lrn::{Config, backward, forward};
use onednn::{Attr, PropKind, arg};

const DIMS: [usize; 4] = [2, 16, 3, 3];

fn run_forward(x: &Tensor, config: &Config) -> (Tensor, onednn::PrimitiveDesc, Tensor) {
    let prop = PropKind::ForwardTraining;
    let desc = forward(prop, &x.md, &x.md, config, &Attr::new()).unwrap();
    let (y, workspace) = (Tensor::new(desc.dst_md(0)), Tensor::new(desc.workspace_md()));
    run(&desc, &[(arg::SRC, x), (arg::DST, &y), (arg::WORKSPACE, &workspace)]);
    (y, desc, workspace)
}

#[test]
fn forward_equals_the_formula_and_backward_its_derivative() {
    if !ready() {
        return;
    }
    let config = Config { alpha: 0.5, k: 2.0, ..Config::default() };
    let x = Tensor::quarters(&DIMS, 1);
    let (y, hint, workspace) = run_forward(&x, &config);
    let values = x.values();
    let square = |b: usize, c: usize, p: usize| values[(b * 16 + c) * 9 + p].powi(2);
    let expected: Vec<f32> = values
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let (b, c, p) = (i / 144, i / 9 % 16, i % 9);
            let near = c.saturating_sub(2)..(c + 3).min(16);
            let sum: f32 = near.map(|c| square(b, c, p)).sum();
            v * (2.0 + 0.1 * sum).powf(-0.75)
        })
        .collect();
    // The power is an approximation of a few units in the last place.
    close(&y.values(), &expected, 1e-5);

    let g = Tensor::quarters(&DIMS, 2);
    let desc = backward(&x.md, &g.md, &x.md, &config, &hint).unwrap();
    let dx = Tensor::new(desc.diff_src_md());
    // Not every implementation of backward reads what forward kept.
    let workspace =
        if desc.workspace_md().is_empty() { Tensor::new(desc.workspace_md()) } else { workspace };
    let args =
        [(arg::SRC, &x), (arg::DIFF_DST, &g), (arg::WORKSPACE, &workspace), (arg::DIFF_SRC, &dx)];
    run(&desc, &args);
    // Derivative along one direction by central difference: error step² plus rounding / step.
    let (direction, step) = (Tensor::quarters(&DIMS, 3).values(), 1.0 / 64.0);
    let moved = |sign: f32| {
        let x: Vec<f32> = values.iter().zip(&direction).map(|(v, d)| v + sign * step * d).collect();
        crate::support::dot(&run_forward(&Tensor::of(&DIMS, &x), &config).0, &g)
    };
    let numeric = (moved(1.0) - moved(-1.0)) / f64::from(2.0 * step);
    let analytic = crate::support::dot(&dx, &Tensor::of(&DIMS, &direction));
    assert!((numeric - analytic).abs() < 1e-2, "{numeric} {analytic}");
}
