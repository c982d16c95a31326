use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_below_one, check_positive};
use crate::power::power;
use serde::{Deserialize, Serialize};

/// Adaptive moments, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), weight decay `λ` and `t` = number of
/// this iteration, from 1:
///
/// ```text
/// g ← g + λ·w
/// m ← m + (1 - β₁)·(g - m)
/// v ← β₂·v + (1 - β₂)·g²
/// w ← w - η/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
/// ```
///
/// State: two slots, `m` then `v`, both starting at 0.
///
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Step size `η`, 0 or more; default 0.001.
    pub learning_rate: f64,
    /// Decay `β₁` of the mean of gradients, in [0, 1); default 0.9.
    pub beta_1: f64,
    /// Decay `β₂` of the mean of squared gradients, in [0, 1); default 0.999.
    pub beta_2: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-8 as in PyTorch (Keras has 1e-7).
    pub epsilon: f64,
    /// L2 penalty `λ`, added to the gradient as `λ·w`; default 0.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Rule for Adam {
    fn who(&self) -> &'static str {
        "Adam"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("Adam", "weight_decay", self.weight_decay)?;
        check_below_one("Adam", "beta_1", self.beta_1)?;
        check_below_one("Adam", "beta_2", self.beta_2)?;
        check_above_zero("Adam", "epsilon", self.epsilon)
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let Adam { beta_1, beta_2, epsilon, weight_decay, .. } = *self;
        let moments = Moments { beta_1, beta_2, epsilon, penalty: weight_decay, shrinkage: 1.0 };
        moments.step(learning_rate, chunk);
    }
}

/// The step that Adam and AdamW share.
pub(super) struct Moments {
    pub beta_1: f64,
    pub beta_2: f64,
    pub epsilon: f64,
    /// Share of the weight that is added to the gradient.
    pub penalty: f64,
    /// Share of the weight that is left before the step; 1 changes no bit.
    pub shrinkage: f64,
}

impl Moments {
    pub fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        // As PyTorch does it: scalars in f64, rounded to f32 once; the vectors in f32.
        let t = chunk.old.iteration + 1;
        let step = (learning_rate / (1.0 - power(self.beta_1, t))) as f32;
        let root = (1.0 - power(self.beta_2, t)).sqrt() as f32;
        let (rest_1, beta_2, rest_2) =
            ((1.0 - self.beta_1) as f32, self.beta_2 as f32, (1.0 - self.beta_2) as f32);
        let (penalty, shrinkage, epsilon) =
            (self.penalty as f32, self.shrinkage as f32, self.epsilon as f32);
        // Written out: the blocks of `Chunk::each` cost this rule a fifth of its speed.
        let old = &chunk.old;
        let ([m_old, v_old], [m_new, v_new]) = (&old.state[..], &mut chunk.state[..]) else {
            return;
        };
        let weights = chunk.weights.iter_mut().zip(old.weights).zip(old.gradient);
        let moments = m_new.iter_mut().zip(m_old.iter()).zip(v_new.iter_mut().zip(v_old.iter()));
        for (((new, &old), &g), ((m_new, &m_old), (v_new, &v_old))) in weights.zip(moments) {
            let g = g + penalty * old;
            let m = m_old + rest_1 * (g - m_old);
            let v = beta_2 * v_old + rest_2 * g * g;
            *m_new = m;
            *v_new = v;
            *new = shrinkage * old - step * (m / (v.sqrt() / root + epsilon));
        }
    }
}
