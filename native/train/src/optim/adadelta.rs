use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use serde::{Deserialize, Serialize};

/// Steps in units of the weights, without a learning rate to tune, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), weight decay `λ`:
///
/// ```text
/// g ← g + λ·w
/// v ← ρ·v + (1 - ρ)·g²
/// d ← √(u + ε) / √(v + ε) · g
/// u ← ρ·u + (1 - ρ)·d²
/// w ← w - η·d
/// ```
///
/// State: two slots, `v` then `u`, both starting at 0.
///
/// Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1 (with `η` = 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    /// Factor `η` of the steps, 0 or more; default 1 as in the paper and PyTorch (Keras has 0.001).
    pub learning_rate: f64,
    /// Decay `ρ` of both means of squares, in [0, 1); default 0.9 as in PyTorch (Keras and the
    /// paper have 0.95).
    pub rho: f64,
    /// `ε`, above 0, sets the size of the first steps; default 1e-6 as in the paper and PyTorch
    /// (Keras has 1e-7).
    pub epsilon: f64,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta { learning_rate: 1.0, rho: 0.9, epsilon: 1e-6, weight_decay: 0.0 }
    }
}

impl Rule for Adadelta {
    fn who(&self) -> &'static str {
        "Adadelta"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("Adadelta", "weight_decay", self.weight_decay)?;
        check_below_one("Adadelta", "rho", self.rho)?;
        check_above_zero("Adadelta", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (rate, decay) = (learning_rate as f32, self.weight_decay as f32);
        let (rho, rest, epsilon) = (self.rho as f32, (1.0 - self.rho) as f32, self.epsilon as f32);
        chunk.each(|g, w, [v, u]| {
            let g = g + decay * w;
            let v = rho * v + rest * g * g;
            let d = (u + epsilon).sqrt() / (v + epsilon).sqrt() * g;
            let u = rho * u + rest * d * d;
            (w - rate * d, [v, u])
        });
    }
}
