use super::Chunk;
use super::rule::{Common, Rule};
use crate::Error;
use crate::error::{check_above_zero, check_positive};
use crate::schedule::Schedule;
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
    /// Learning-rate decay per iteration: `η / (1 + iteration · decay)`; default 0.
    pub decay: f64,
    /// Bound on the absolute value of each gradient element; default none.
    pub clip_value: Option<f32>,
    /// How the learning rate changes, in place of `decay`; default none.
    pub schedule: Option<Schedule>,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad {
            learning_rate: 0.01,
            initial_accumulator_value: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
            decay: 0.0,
            clip_value: None,
            schedule: None,
        }
    }
}

impl Rule for Adagrad {
    fn common(&self) -> Common<'_> {
        Common {
            who: "Adagrad",
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            decay: self.decay,
            clip_value: self.clip_value,
            schedule: self.schedule.as_ref(),
        }
    }

    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), Error> {
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
