use super::*;
use crate::Optimizer;
use crate::optim::Method;
use crate::optim::tests::step;

/// PyTorch's `LBFGS.step` after the first call, line by line in f64; lists are oldest first.
fn direction(dirs: &[Vec<f64>], stps: &[Vec<f64>], gradient: &[f64]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut pairs = Vec::new();
    let mut h_diag = 1.0;
    for (y, s) in dirs.iter().zip(stps) {
        let ys = dot(y, s);
        if ys > 1e-10 {
            pairs.push((y, s, 1.0 / ys));
            h_diag = ys / dot(y, y);
        }
    }
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut al = vec![0.0; pairs.len()];
    for (i, (y, s, ro)) in pairs.iter().enumerate().rev() {
        al[i] = dot(s, &q) * ro;
        q.iter_mut().zip(*y).for_each(|(q, y)| *q -= al[i] * y);
    }
    let mut r: Vec<f64> = q.iter().map(|q| q * h_diag).collect();
    for (i, (y, s, ro)) in pairs.iter().enumerate() {
        let be = dot(y, &r) * ro;
        r.iter_mut().zip(*s).for_each(|(r, s)| *r += (al[i] - be) * s);
    }
    r
}

/// Minimizes from `start`; each step is compared with PyTorch's for the same weights and gradients.
fn minimize(
    rule: &Lbfgs,
    start: &[f32],
    iterations: u64,
    gradient: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let optimizer = Optimizer::from(Method::Lbfgs(rule.clone()));
    let mut weights = start.to_vec();
    let mut state = vec![0.0; optimizer.slots() * weights.len()];
    let wide = |values: &[f32]| values.iter().map(|&v| v as f64).collect::<Vec<f64>>();
    let (mut gradients, mut points) = (Vec::<Vec<f64>>::new(), vec![wide(&weights)]);
    let difference = |pair: &[Vec<f64>]| -> Vec<f64> {
        pair[1].iter().zip(&pair[0]).map(|(new, old)| new - old).collect()
    };
    for iteration in 0..iterations {
        let single: Vec<f32> = gradient(&wide(&weights)).iter().map(|&g| g as f32).collect();
        gradients.push(wide(&single));
        let from = (gradients.len() - 1).saturating_sub(rule.history_size);
        let y: Vec<Vec<f64>> = gradients[from..].windows(2).map(difference).collect();
        let s: Vec<Vec<f64>> = points[from..].windows(2).map(difference).collect();
        let mut rate = rule.learning_rate;
        if iteration == 0 {
            rate *= (1.0 / gradients[0].iter().map(|g| g.abs()).sum::<f64>()).min(1.0);
        }
        let to = direction(&y, &s, &wide(&single));
        step(&optimizer, iteration, &single, &mut weights, &mut state);
        for ((&got, old), d) in weights.iter().zip(&points[points.len() - 1]).zip(&to) {
            // The weight is rounded, and so are the pairs, whose differences may cancel.
            let (expected, size) = (old + rate * d, old.abs().max((rate * d).abs()));
            let error = (got as f64 - expected).abs();
            assert!(error <= 1e-5 * size + 1e-9, "{iteration}: {got} for {expected}");
        }
        points.push(wide(&weights));
    }
    wide(&weights)
}

#[test]
fn a_quadratic_is_minimized_by_the_steps_of_pytorch() {
    // ½ Σ cᵢ·(wᵢ - i)², condition number 50.
    let c: Vec<f64> = (0..20).map(|i| 1.0 + 49.0 * i as f64 / 19.0).collect();
    let gradient =
        |w: &[f64]| w.iter().zip(&c).enumerate().map(|(i, (w, c))| c * (w - i as f64)).collect();
    for history_size in [1, 3, 10] {
        let rule = Lbfgs { learning_rate: 0.9, history_size };
        let weights = minimize(&rule, &[0.5; 20], 60, gradient);
        if history_size == 10 {
            for (i, w) in weights.iter().enumerate() {
                assert!((w - i as f64).abs() < 1e-3, "{i}: {w}");
            }
        }
    }
}

#[test]
fn rosenbrock_s_valley_is_followed_by_the_steps_of_pytorch() {
    let gradient = |w: &[f64]| {
        let bend = w[1] - w[0] * w[0];
        vec![-400.0 * w[0] * bend - 2.0 * (1.0 - w[0]), 200.0 * bend]
    };
    let rule = Lbfgs { learning_rate: 0.5, history_size: 5 };
    let weights = minimize(&rule, &[-1.2, 1.0], 200, gradient);
    assert!(weights.iter().all(|w| (w - 1.0).abs() < 1e-3), "{weights:?}");
}
