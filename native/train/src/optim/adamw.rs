use super::Chunk;
use super::adam::Moments;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use serde::{Deserialize, Serialize};

/// Adam with decoupled weight decay, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), weight decay `λ` and `t` = number of
/// this iteration, from 1:
///
/// ```text
/// w ← w - η·λ·w
/// m ← m + (1 - β₁)·(g - m)
/// v ← β₂·v + (1 - β₂)·g²
/// w ← w - η/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
/// ```
///
/// Unlike the L2 penalty of [`Adam`](super::Adam), the decay does not pass through the moments.
///
/// State: two slots, `m` then `v`, both starting at 0.
///
/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2. Its
/// schedule multiplier is part of `η` here, as in PyTorch and Keras.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Step size `η`, 0 or more; default 0.001.
    pub learning_rate: f64,
    /// Decay `β₁` of the mean of gradients, in [0, 1); default 0.9.
    pub beta_1: f64,
    /// Decay `β₂` of the mean of squared gradients, in [0, 1); default 0.999.
    pub beta_2: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-8 as in PyTorch (Keras has 1e-7).
    pub epsilon: f64,
    /// Decay `λ` of the weights, 0 or more; default 0.01 as in PyTorch (Keras has 0.004).
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

impl Rule for AdamW {
    fn who(&self) -> &'static str {
        "AdamW"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("AdamW", "weight_decay", self.weight_decay)?;
        check_below_one("AdamW", "beta_1", self.beta_1)?;
        check_below_one("AdamW", "beta_2", self.beta_2)?;
        check_above_zero("AdamW", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let AdamW { beta_1, beta_2, epsilon, weight_decay, .. } = *self;
        let shrinkage = 1.0 - learning_rate * weight_decay;
        let moments = Moments { beta_1, beta_2, epsilon, penalty: 0.0, shrinkage };
        moments.step(learning_rate, chunk);
    }
}
