use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_positive};
use serde::{Deserialize, Serialize};

/// Steps that shrink with the sum of squared gradients, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), weight decay `λ`, initial value `a`:
///
/// ```text
/// g ← g + λ·w
/// s ← s + g²
/// w ← w - η · g / (√(a + s) + ε)
/// ```
///
/// State: one slot, `s`, starting at 0.
///
/// Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic
/// optimization", 2011, figure 1 with diagonal matrices and no constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// Step size `η`, 0 or more; default 0.01 as in PyTorch (Keras has 0.001).
    pub learning_rate: f64,
    /// Where the sum of squares starts, `a`, 0 or more; default 0 as in PyTorch (Keras has 0.1).
    pub initial_accumulator_value: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-10 as in PyTorch (Keras has 1e-7, under
    /// the root).
    pub epsilon: f64,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad {
            learning_rate: 0.01,
            initial_accumulator_value: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

impl Rule for Adagrad {
    fn who(&self) -> &'static str {
        "Adagrad"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("Adagrad", "weight_decay", self.weight_decay)?;
        let start = self.initial_accumulator_value;
        check_positive("Adagrad", "initial_accumulator_value", start)?;
        check_above_zero("Adagrad", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (rate, decay) = (learning_rate as f32, self.weight_decay as f32);
        let (start, epsilon) = (self.initial_accumulator_value as f32, self.epsilon as f32);
        chunk.each(|g, w, [s]| {
            let g = g + decay * w;
            let s = s + g * g;
            (w - rate * (g / ((start + s).sqrt() + epsilon)), [s])
        });
    }
}
