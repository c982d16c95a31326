//! The papers' pseudo-code of one weight in f64, written without a look at the rules it judges.

use super::{Method, Optimizer};

/// The gradient of all weights, clipped.
pub(crate) fn clip(optimizer: &Optimizer, gradient: &[f32]) -> Vec<f64> {
    let bound = optimizer.common.clip_value.map_or(f64::INFINITY, f64::from);
    let gradient: Vec<f64> = gradient.iter().map(|&g| (g as f64).clamp(-bound, bound)).collect();
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    match optimizer.common.clip_norm {
        Some(bound) if norm > bound => gradient.iter().map(|g| g / norm * bound).collect(),
        _ => gradient,
    }
}

/// One iteration `t` (from 1) of a parameter with so many dimensions; `s` is state that starts at 0.
pub(crate) fn step(
    optimizer: &Optimizer,
    t: i32,
    rank: usize,
    g: &[f64],
    w: &mut [f64],
    s: &mut [[f64; 3]],
) {
    let rate = optimizer.learning_rate(t as u64 - 1);
    let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    match &optimizer.method {
        Method::Lars(o) => {
            let adapt = o.adapt_vectors || rank > 1;
            let decay = if adapt { o.weight_decay } else { 0.0 };
            let local = if adapt { o.trust * norm(w) / (norm(g) + decay * norm(w)) } else { 1.0 };
            for i in 0..w.len() {
                s[i][0] = o.momentum * s[i][0] + rate * local * (g[i] + decay * w[i]);
                w[i] -= s[i][0];
            }
        }
        Method::Lamb(o) => {
            let adapt = o.adapt_vectors || rank > 1;
            let decay = if adapt { o.weight_decay } else { 0.0 };
            let direction = |i: usize, s: &mut [f64; 3], w: &[f64]| {
                adam(o.beta_1, o.beta_2, o.epsilon, t, g[i], s) + decay * w[i]
            };
            let u: Vec<f64> = (0..w.len()).map(|i| direction(i, &mut s[i], w)).collect();
            let ratio = if adapt { norm(w) / norm(&u) } else { 1.0 };
            for i in 0..w.len() {
                w[i] -= rate * ratio * u[i];
            }
        }
        _ => {
            for i in 0..w.len() {
                w[i] = element(optimizer, t, g[i], w[i], &mut s[i]);
            }
        }
    }
}

/// The new weight after iteration `t` (from 1) with clipped gradient `g`; `s` is state that starts at 0.
fn element(optimizer: &Optimizer, t: i32, g: f64, w: f64, s: &mut [f64; 3]) -> f64 {
    let rate = optimizer.learning_rate(t as u64 - 1);
    match &optimizer.method {
        Method::Sgd(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.momentum * s[0] + g;
            w - rate * if o.nesterov { g + o.momentum * s[0] } else { s[0] }
        }
        Method::Adam(o) => {
            let g = g + o.weight_decay * w;
            w - rate * adam(o.beta_1, o.beta_2, o.epsilon, t, g, s)
        }
        Method::AdamW(o) => {
            let direction = adam(o.beta_1, o.beta_2, o.epsilon, t, g, s);
            w - rate * (direction + o.weight_decay * w)
        }
        Method::Adamax(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.beta_1 * s[0] + (1.0 - o.beta_1) * g;
            s[1] = f64::max(o.beta_2 * s[1], g.abs());
            w - rate / (1.0 - o.beta_1.powi(t)) * s[0] / s[1]
        }
        Method::Adagrad(o) => {
            let g = g + o.weight_decay * w;
            s[0] += g.powi(2);
            w - rate * g / ((o.initial_accumulator_value + s[0]).sqrt() + o.epsilon)
        }
        Method::Adadelta(o) => {
            let g = g + o.weight_decay * w;
            let rms = |mean: f64| (mean + o.epsilon).sqrt();
            s[0] = o.rho * s[0] + (1.0 - o.rho) * g.powi(2);
            let delta = -rms(s[1]) / rms(s[0]) * g;
            s[1] = o.rho * s[1] + (1.0 - o.rho) * delta.powi(2);
            w + rate * delta
        }
        Method::RMSprop(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.rho * s[0] + (1.0 - o.rho) * g.powi(2);
            s[1] = o.rho * s[1] + (1.0 - o.rho) * g;
            let variance = s[0] - if o.centered { s[1].powi(2) } else { 0.0 };
            s[2] = o.momentum * s[2] + g / (variance.sqrt() + o.epsilon);
            w - rate * s[2]
        }
        Method::Ftrl(o) => {
            let (l1, l2) = (o.l1_regularization_strength, 2.0 * o.l2_regularization_strength);
            let old = o.initial_accumulator_value + s[0];
            s[0] += g.powi(2);
            let new = o.initial_accumulator_value + s[0];
            let sigma = (new.sqrt() - old.sqrt()) / rate;
            s[1] += g + 2.0 * o.l2_shrinkage_regularization_strength * w - sigma * w;
            let z = s[1];
            if z.abs() <= l1 {
                0.0
            } else {
                -(z - z.signum() * l1) / ((o.beta + new.sqrt()) / rate + l2)
            }
        }
        Method::Lars(_) | Method::Lamb(_) | Method::Lbfgs(_) | Method::PerLayer(_) => {
            unreachable!("not element by element")
        }
    }
}

/// Kingma and Ba's algorithm 1 without its last factor.
fn adam(beta_1: f64, beta_2: f64, epsilon: f64, t: i32, g: f64, s: &mut [f64; 3]) -> f64 {
    s[0] = beta_1 * s[0] + (1.0 - beta_1) * g;
    s[1] = beta_2 * s[1] + (1.0 - beta_2) * g.powi(2);
    let mean = s[0] / (1.0 - beta_1.powi(t));
    let square = s[1] / (1.0 - beta_2.powi(t));
    mean / (square.sqrt() + epsilon)
}
