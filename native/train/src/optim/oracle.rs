//! The papers' pseudo-code of one weight in f64, written without a look at the rules it judges.

use super::Optimizer;

/// The new weight after iteration `t` (from 1) with gradient `g`; `s` is state that starts at 0.
pub(crate) fn step(optimizer: &Optimizer, t: i32, g: f64, w: f64, s: &mut [f64; 3]) -> f64 {
    let rate = optimizer.learning_rate(t as u64 - 1);
    let clip = optimizer.clip_value().map_or(f64::INFINITY, f64::from);
    let g = g.clamp(-clip, clip);
    match optimizer {
        Optimizer::Sgd(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.momentum * s[0] + g;
            w - rate * if o.nesterov { g + o.momentum * s[0] } else { s[0] }
        }
        Optimizer::Adam(o) => {
            let g = g + o.weight_decay * w;
            w - rate * adam(o.beta_1, o.beta_2, o.epsilon, t, g, s)
        }
        Optimizer::AdamW(o) => {
            let direction = adam(o.beta_1, o.beta_2, o.epsilon, t, g, s);
            w - rate * (direction + o.weight_decay * w)
        }
        Optimizer::Adamax(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.beta_1 * s[0] + (1.0 - o.beta_1) * g;
            s[1] = f64::max(o.beta_2 * s[1], g.abs());
            w - rate / (1.0 - o.beta_1.powi(t)) * s[0] / s[1]
        }
        Optimizer::Adagrad(o) => {
            let g = g + o.weight_decay * w;
            s[0] += g.powi(2);
            w - rate * g / ((o.initial_accumulator_value + s[0]).sqrt() + o.epsilon)
        }
        Optimizer::Adadelta(o) => {
            let g = g + o.weight_decay * w;
            let rms = |mean: f64| (mean + o.epsilon).sqrt();
            s[0] = o.rho * s[0] + (1.0 - o.rho) * g.powi(2);
            let delta = -rms(s[1]) / rms(s[0]) * g;
            s[1] = o.rho * s[1] + (1.0 - o.rho) * delta.powi(2);
            w + rate * delta
        }
        Optimizer::RMSprop(o) => {
            let g = g + o.weight_decay * w;
            s[0] = o.rho * s[0] + (1.0 - o.rho) * g.powi(2);
            s[1] = o.rho * s[1] + (1.0 - o.rho) * g;
            let variance = s[0] - if o.centered { s[1].powi(2) } else { 0.0 };
            s[2] = o.momentum * s[2] + g / (variance.sqrt() + o.epsilon);
            w - rate * s[2]
        }
        Optimizer::Ftrl(o) => {
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
