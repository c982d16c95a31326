use super::rule::{Rule, Sums, matrix};
use super::{Chunk, Old, dot};
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use serde::{Deserialize, Serialize};

/// Momentum with a learning rate for each layer, for large batches.
///
/// With gradient `g`, weights `w` of one parameter, learning rate `η` (scheduled), trust `τ`, momentum
/// `μ`, weight decay `λ`:
///
/// ```text
/// r ← τ · ‖w‖ / (‖g‖ + λ·‖w‖)      (1 if ‖w‖ or ‖g‖ is 0)
/// v ← μ·v + η·r·(g + λ·w)
/// w ← w - v
/// ```
///
/// A layer of the paper is a parameter here. Parameters of one dimension (biases, scales and shifts of
/// normalizations) have `r` = 1 and no weight decay, as is usual, unless `adapt_vectors`.
///
/// State: one slot, `v`, starting at 0.
///
/// Source: You, Gitman, Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1;
/// BigDL's `LarsSGD`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lars {
    /// Step size `η` of the layers together, 0 or more; default 0.1 (BigDL has 0.001, with `trust` 1).
    pub learning_rate: f64,
    /// Share `τ` of a weight's size that a step may be, above 0; default 0.001 as in the paper (BigDL
    /// has 1).
    pub trust: f64,
    /// Share `μ` of the previous step that is kept, in [0, 1); default 0.9 as in the paper (BigDL has
    /// 0.5).
    pub momentum: f64,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.0005 as in the paper (BigDL has
    /// 0.005).
    pub weight_decay: f64,
    /// Whether parameters of one dimension are treated as all others; default false.
    pub adapt_vectors: bool,
}

impl Default for Lars {
    fn default() -> Self {
        Lars {
            learning_rate: 0.1,
            trust: 0.001,
            momentum: 0.9,
            weight_decay: 0.0005,
            adapt_vectors: false,
        }
    }
}

impl Rule for Lars {
    fn who(&self) -> &'static str {
        "LARS"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), Error> {
        check_above_zero("LARS", "trust", self.trust)?;
        check_below_one("LARS", "momentum", self.momentum)?;
        check_positive("LARS", "weight_decay", self.weight_decay)
    }

    /// `Σ w²`, `Σ g²`.
    fn sums(&self) -> Sums {
        Sums::PerParameter(2)
    }

    fn partial_sums(&self, old: &Old<'_>, sums: &mut [f64]) {
        if let [weights, gradient] = sums {
            *weights = dot(old.weights, old.weights);
            *gradient = dot(old.gradient, old.gradient);
        }
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let mut rate = learning_rate;
        let mut decay = self.weight_decay;
        if !self.adapt_vectors && !matrix(chunk) {
            decay = 0.0;
        } else if let [weights, gradient] = *chunk.totals {
            // Clipping by the norm is a factor of the whole gradient, so also of its norms.
            let (weights, gradient) = (weights.sqrt(), gradient.sqrt() * chunk.clip_norm);
            if weights > 0.0 && gradient > 0.0 {
                rate *= self.trust * weights / (gradient + decay * weights);
            }
        }
        let (rate, decay, momentum) = (rate as f32, decay as f32, self.momentum as f32);
        chunk.each(|g, w, [v]| {
            let v = momentum * v + rate * (g + decay * w);
            (w - v, [v])
        });
    }
}
