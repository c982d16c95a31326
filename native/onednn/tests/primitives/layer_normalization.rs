use crate::support::{Tensor, close, plain, ready, run};
use onednn::ops::layer_normalization::{Config, backward, backward_takes_shift, forward};
use onednn::{Attr, PropKind, arg};

#[test]
fn training_equals_the_formulas() {
    if !ready() {
        return;
    }
    let (rows, c) = (6, 37);
    let (x, g) = (Tensor::quarters(&[2, 3, c], 1), Tensor::quarters(&[2, 3, c], 2));
    let (scale, shift) = (Tensor::quarters(&[c], 3), Tensor::quarters(&[c], 4));
    let config = Config::default();
    let prop = PropKind::ForwardTraining;
    let hint = forward(prop, &x.md, &x.md, None, &config, &Attr::new()).unwrap();
    let y = Tensor::new(hint.dst_md(0));
    let (mean, variance) = (Tensor::new(hint.dst_md(1)), Tensor::new(hint.dst_md(2)));
    assert_eq!(mean.md, plain(&[2, 3]));
    let args = [
        (arg::SRC, &x),
        (arg::SCALE, &scale),
        (arg::SHIFT, &shift),
        (arg::DST, &y),
        (arg::MEAN, &mean),
        (arg::VARIANCE, &variance),
    ];
    run(&hint, &args);
    let stat = Some(&mean.md);
    let desc = backward(PropKind::Backward, &x.md, &g.md, &x.md, stat, &config, &hint).unwrap();
    let dx = Tensor::new(desc.diff_src_md());
    let (dscale, dshift) = (Tensor::new(plain(&[c])), Tensor::new(plain(&[c])));
    let mut args = vec![
        (arg::SRC, &x),
        (arg::MEAN, &mean),
        (arg::VARIANCE, &variance),
        (arg::DIFF_DST, &g),
        (arg::SCALE, &scale),
        (arg::DIFF_SRC, &dx),
        (arg::DIFF_SCALE, &dscale),
        (arg::DIFF_SHIFT, &dshift),
    ];
    if backward_takes_shift(&desc, &config) {
        args.push((arg::SHIFT, &shift));
    }
    run(&desc, &args);

    let (xs, gs, ss, bs) = (x.values(), g.values(), scale.values(), shift.values());
    let count = c as f64;
    let (mut expected_y, mut expected_dx) = (vec![], vec![]);
    let (mut expected_dscale, mut expected_dshift) = (vec![0.0; c], vec![0.0; c]);
    for row in 0..rows {
        let x: Vec<f64> = xs[row * c..][..c].iter().map(|&v| f64::from(v)).collect();
        let g = &gs[row * c..][..c];
        let mean = x.iter().sum::<f64>() / count;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let inverse = 1.0 / (variance + 1e-5).sqrt();
        let normal: Vec<f64> = x.iter().map(|v| (v - mean) * inverse).collect();
        let scaled: Vec<f64> = (0..c).map(|i| f64::from(g[i]) * f64::from(ss[i])).collect();
        let sum = scaled.iter().sum::<f64>() / count;
        let product = scaled.iter().zip(&normal).map(|(a, b)| a * b).sum::<f64>() / count;
        for i in 0..c {
            expected_y.push((f64::from(ss[i]) * normal[i] + f64::from(bs[i])) as f32);
            expected_dx.push((inverse * (scaled[i] - sum - normal[i] * product)) as f32);
            expected_dscale[i] += (f64::from(g[i]) * normal[i]) as f32;
            expected_dshift[i] += g[i];
        }
    }
    // Sums of 37 terms of magnitude 2 in f32.
    close(&y.values(), &expected_y, 1e-5);
    close(&dx.values(), &expected_dx, 1e-5);
    close(&dscale.values(), &expected_dscale, 1e-5);
    close(&dshift.values(), &expected_dshift, 1e-5);
}
