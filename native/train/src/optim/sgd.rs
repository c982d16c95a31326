use super::Chunk;
use super::rule::{Common, Rule};
use crate::Error;
use crate::error::{check, check_below_one};
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// Stochastic gradient descent with momentum, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), momentum `μ`, weight decay `λ`:
///
/// ```text
/// g ← g + λ·w
/// v ← μ·v + g                    (if μ > 0; v starts at 0)
/// g ← g + μ·v  if nesterov,  v  otherwise
/// w ← w - η·g
/// ```
///
/// State: one slot (`v`) if `momentum` > 0, else none.
///
/// Sources: Robbins and Monro, "A stochastic approximation method", 1951; Sutskever, Martens, Dahl,
/// Hinton, "On the importance of initialization and momentum in deep learning", 2013.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Step size `η`, 0 or more; default 0.01.
    pub learning_rate: f64,
    /// Share `μ` of the previous step that is kept, in [0, 1); default 0.
    pub momentum: f64,
    /// Look ahead along the momentum; needs `momentum` > 0; default false.
    pub nesterov: bool,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
    /// Learning-rate decay per iteration: `η / (1 + iteration · decay)`; default 0.
    pub decay: f64,
    /// Bound on the absolute value of each gradient element; default none.
    pub clip_value: Option<f32>,
    /// How the learning rate changes, in place of `decay`; default none.
    pub schedule: Option<Schedule>,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd {
            learning_rate: 0.01,
            momentum: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            decay: 0.0,
            clip_value: None,
            schedule: None,
        }
    }
}

impl Rule for Sgd {
    fn common(&self) -> Common<'_> {
        Common {
            who: "SGD",
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            decay: self.decay,
            clip_value: self.clip_value,
            schedule: self.schedule.as_ref(),
        }
    }

    fn slots(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn check(&self) -> Result<(), Error> {
        check_below_one("SGD", "momentum", self.momentum)?;
        let needed = !self.nesterov || self.momentum > 0.0;
        check(needed, "SGD", "momentum", "above 0 when nesterov is true", self.momentum)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (rate, decay, momentum) =
            (learning_rate as f32, self.weight_decay as f32, self.momentum as f32);
        let weights = chunk.weights_new.iter_mut().zip(chunk.weights_old).zip(chunk.gradient);
        match (chunk.state_new.first_mut(), chunk.state_old.first()) {
            (Some(v_new), Some(v_old)) if self.momentum > 0.0 => {
                for (((new, &old), &g), (v_new, &v_old)) in
                    weights.zip(v_new.iter_mut().zip(v_old.iter()))
                {
                    let g = g + decay * old;
                    let v = momentum * v_old + g;
                    *v_new = v;
                    *new = old - rate * if self.nesterov { g + momentum * v } else { v };
                }
            }
            _ => {
                for ((new, &old), &g) in weights {
                    *new = old - rate * (g + decay * old);
                }
            }
        }
    }
}
