use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check, check_below_one, check_positive};
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
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { learning_rate: 0.01, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Rule for Sgd {
    fn who(&self) -> &'static str {
        "SGD"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("SGD", "weight_decay", self.weight_decay)?;
        check_below_one("SGD", "momentum", self.momentum)?;
        let needed = !self.nesterov || self.momentum > 0.0;
        check(needed, "SGD", "momentum", "above 0 when nesterov is true", self.momentum)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (rate, decay, momentum) =
            (learning_rate as f32, self.weight_decay as f32, self.momentum as f32);
        let old = &chunk.old;
        let weights = chunk.weights.iter_mut().zip(old.weights).zip(old.gradient);
        match (chunk.state.first_mut(), old.state.first()) {
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
