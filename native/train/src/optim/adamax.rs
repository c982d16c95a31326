use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use crate::power::power;
use serde::{Deserialize, Serialize};

/// Adam with the infinity norm, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), weight decay `λ` and `t` = number of
/// this iteration, from 1:
///
/// ```text
/// g ← g + λ·w
/// m ← m + (1 - β₁)·(g - m)
/// u ← max(β₂·u, |g| + ε)
/// w ← w - η/(1 - β₁ᵗ) · m / u
/// ```
///
/// State: two slots, `m` then `u`, both starting at 0.
///
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 2. It has no
/// `ε`, which only matters where all gradients so far were 0; Keras adds its `ε` to `u` in the quotient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adamax {
    /// Step size `η`, 0 or more; default 0.002 as in the paper and PyTorch (Keras has 0.001).
    pub learning_rate: f64,
    /// Decay `β₁` of the mean of gradients, in [0, 1); default 0.9.
    pub beta_1: f64,
    /// Decay `β₂` of the norm of gradients, in [0, 1); default 0.999.
    pub beta_2: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-8 as in PyTorch (Keras has 1e-7).
    pub epsilon: f64,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        Adamax {
            learning_rate: 0.002,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl Rule for Adamax {
    fn who(&self) -> &'static str {
        "Adamax"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("Adamax", "weight_decay", self.weight_decay)?;
        check_below_one("Adamax", "beta_1", self.beta_1)?;
        check_below_one("Adamax", "beta_2", self.beta_2)?;
        check_above_zero("Adamax", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let step = (learning_rate / (1.0 - power(self.beta_1, chunk.old.iteration + 1))) as f32;
        let (rest_1, beta_2) = ((1.0 - self.beta_1) as f32, self.beta_2 as f32);
        let (decay, epsilon) = (self.weight_decay as f32, self.epsilon as f32);
        chunk.each(|g, w, [m, u]| {
            let g = g + decay * w;
            let m = m + rest_1 * (g - m);
            let u = (beta_2 * u).max(g.abs() + epsilon);
            (w - step * (m / u), [m, u])
        });
    }
}
