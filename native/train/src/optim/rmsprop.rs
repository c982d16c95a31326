use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use serde::{Deserialize, Serialize};

/// Gradients in units of their root mean square, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), momentum `μ`, weight decay `λ`:
///
/// ```text
/// g ← g + λ·w
/// v ← ρ·v + (1 - ρ)·g²
/// a ← ρ·a + (1 - ρ)·g            (if centered)
/// d ← g / (√(v - a²) + ε)  if centered,  g / (√v + ε)  otherwise
/// b ← μ·b + d                    (if μ > 0)
/// w ← w - η·b  if μ > 0,  w - η·d  otherwise
/// ```
///
/// `v - a²` is never negative in exact numbers; where rounding makes it so it counts as 0.
///
/// State: `v`, then `a` if `centered`, then `b` if `momentum` > 0; all start at 0.
///
/// Sources: Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera, 2012; Graves, "Generating sequences
/// with recurrent neural networks", 2013, equations 38 to 41 (centered, with momentum).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RMSprop {
    /// Step size `η`, 0 or more; default 0.01 as in PyTorch (Keras and the lecture have 0.001).
    pub learning_rate: f64,
    /// Decay `ρ` of the means, in [0, 1); default 0.99 as in PyTorch, which calls it alpha (Keras
    /// and the lecture have 0.9).
    pub rho: f64,
    /// Share `μ` of the previous step that is kept, in [0, 1); default 0.
    pub momentum: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-8 as in PyTorch (Keras has 1e-7).
    pub epsilon: f64,
    /// Divide by the standard deviation of the gradient instead; default false.
    pub centered: bool,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
}

impl Default for RMSprop {
    fn default() -> Self {
        RMSprop {
            learning_rate: 0.01,
            rho: 0.99,
            momentum: 0.0,
            epsilon: 1e-8,
            centered: false,
            weight_decay: 0.0,
        }
    }
}

impl Rule for RMSprop {
    fn who(&self) -> &'static str {
        "RMSprop"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum > 0.0)
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("RMSprop", "weight_decay", self.weight_decay)?;
        check_below_one("RMSprop", "rho", self.rho)?;
        check_below_one("RMSprop", "momentum", self.momentum)?;
        check_above_zero("RMSprop", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (rate, decay) = (learning_rate as f32, self.weight_decay as f32);
        let (rho, rest) = (self.rho as f32, (1.0 - self.rho) as f32);
        let (momentum, epsilon) = (self.momentum as f32, self.epsilon as f32);
        let plain = |g: f32, v: f32| {
            let v = rho * v + rest * g * g;
            (g / (v.sqrt() + epsilon), v)
        };
        let centered = |g: f32, v: f32, a: f32| {
            let v = rho * v + rest * g * g;
            let a = rho * a + rest * g;
            (g / ((v - a * a).max(0.0).sqrt() + epsilon), v, a)
        };
        match (self.centered, self.momentum > 0.0) {
            (false, false) => chunk.each(|g, w, [v]| {
                let (d, v) = plain(g + decay * w, v);
                (w - rate * d, [v])
            }),
            (false, true) => chunk.each(|g, w, [v, b]| {
                let (d, v) = plain(g + decay * w, v);
                let b = momentum * b + d;
                (w - rate * b, [v, b])
            }),
            (true, false) => chunk.each(|g, w, [v, a]| {
                let (d, v, a) = centered(g + decay * w, v, a);
                (w - rate * d, [v, a])
            }),
            (true, true) => chunk.each(|g, w, [v, a, b]| {
                let (d, v, a) = centered(g + decay * w, v, a);
                let b = momentum * b + d;
                (w - rate * b, [v, a, b])
            }),
        }
    }
}
