use crate::support::{Tensor, close, ready, run};
use onednn::ops::softmax::{Algorithm, Config, backward, forward};
use onednn::{Attr, PropKind, arg};

#[test]
fn both_kinds_equal_the_formulas_in_both_directions() {
    if !ready() {
        return;
    }
    let (rows, c) = (5, 13);
    let (x, g) = (Tensor::quarters(&[rows, c], 1), Tensor::quarters(&[rows, c], 2));
    for algorithm in [Algorithm::Accurate, Algorithm::Log] {
        let config = Config { algorithm, axis: 1 };
        let prop = PropKind::ForwardTraining;
        let hint = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
        let y = Tensor::new(hint.dst_md(0));
        run(&hint, &[(arg::SRC, &x), (arg::DST, &y)]);
        let desc = backward(&x.md, &g.md, &y.md, &config, &hint).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        run(&desc, &[(arg::DST, &y), (arg::DIFF_DST, &g), (arg::DIFF_SRC, &dx)]);

        let (xs, gs) = (x.values(), g.values());
        let (mut expected_y, mut expected_dx) = (vec![], vec![]);
        for row in 0..rows {
            let (x, g) = (&xs[row * c..][..c], &gs[row * c..][..c]);
            let total: f32 = x.iter().map(|v| v.exp()).sum();
            let p: Vec<f32> = x.iter().map(|v| v.exp() / total).collect();
            let mean: f32 = p.iter().zip(g).map(|(p, g)| p * g).sum();
            let sum: f32 = g.iter().sum();
            for i in 0..c {
                let (y, dx) = match algorithm {
                    Algorithm::Accurate => (p[i], p[i] * (g[i] - mean)),
                    Algorithm::Log => (p[i].ln(), g[i] - p[i] * sum),
                };
                expected_y.push(y);
                expected_dx.push(dx);
            }
        }
        // Approximation of exp, sums of 13 terms.
        close(&y.values(), &expected_y, 5e-6);
        close(&dx.values(), &expected_dx, 5e-6);
    }
}

#[test]
fn large_logits_do_not_overflow() {
    if !ready() {
        return;
    }
    let x = Tensor::of(&[1, 3], &[1000.0, 1000.0, -1000.0]);
    let config = Config { algorithm: Algorithm::Accurate, axis: 1 };
    let prop = PropKind::ForwardInference;
    let desc = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
    let y = Tensor::new(desc.dst_md(0));
    run(&desc, &[(arg::SRC, &x), (arg::DST, &y)]);
    close(&y.values(), &[0.5, 0.5, 0.0], 1e-6);
}
