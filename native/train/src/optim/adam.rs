use super::{Chunk, check_common};
use crate::Error;
use crate::error::check;
use serde::{Deserialize, Serialize};

/// Adaptive moments, in PyTorch's formulation.
///
/// With gradient `g`, weight `w`, learning rate `η` (decayed), weight decay `λ` and `t` = number of
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
    /// Learning-rate decay per iteration: `η / (1 + iteration · decay)`; default 0.
    pub decay: f64,
    /// Bound on the absolute value of each gradient element; default none.
    pub clip_value: Option<f32>,
}

impl Default for Adam {
    fn default() -> Self {
        Adam {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decay: 0.0,
            clip_value: None,
        }
    }
}

impl Adam {
    pub(super) const SLOTS: usize = 2;

    pub(super) fn check(&self) -> Result<(), Error> {
        let Adam { learning_rate, weight_decay, decay, clip_value, .. } = *self;
        check_common("Adam", learning_rate, weight_decay, decay, clip_value)?;
        let (unit, above) = ("a number in [0, 1)", "a finite number above 0");
        check((0.0..1.0).contains(&self.beta_1), "Adam", "beta_1", unit, self.beta_1)?;
        check((0.0..1.0).contains(&self.beta_2), "Adam", "beta_2", unit, self.beta_2)?;
        let positive = self.epsilon > 0.0 && self.epsilon.is_finite();
        check(positive, "Adam", "epsilon", above, self.epsilon)
    }

    pub(super) fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        // As PyTorch does it: scalars in f64, rounded to f32 once; the vectors in f32.
        let t = chunk.iteration + 1;
        let step = (learning_rate / (1.0 - power(self.beta_1, t))) as f32;
        let root = (1.0 - power(self.beta_2, t)).sqrt() as f32;
        let (rest_1, beta_2, rest_2) =
            ((1.0 - self.beta_1) as f32, self.beta_2 as f32, (1.0 - self.beta_2) as f32);
        let (decay, epsilon) = (self.weight_decay as f32, self.epsilon as f32);
        let ([m_old, v_old], [m_new, v_new]) = (&chunk.state_old[..], &mut chunk.state_new[..])
        else {
            return;
        };
        let weights = chunk.weights_new.iter_mut().zip(chunk.weights_old).zip(chunk.gradient);
        let moments = m_new.iter_mut().zip(m_old.iter()).zip(v_new.iter_mut().zip(v_old.iter()));
        for (((new, &old), &g), ((m_new, &m_old), (v_new, &v_old))) in weights.zip(moments) {
            let g = g + decay * old;
            let m = m_old + rest_1 * (g - m_old);
            let v = beta_2 * v_old + rest_2 * g * g;
            *m_new = m;
            *v_new = v;
            *new = old - step * (m / (v.sqrt() / root + epsilon));
        }
    }
}

/// `base` to the power of `exponent` by squaring: unlike the platform's `pow`, the same bits with any
/// C library on any processor.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= base;
        }
        base *= base;
        exponent /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn power_agrees_with_the_c_library_to_rounding() {
        for exponent in [0u64, 1, 2, 3, 100, 12_345] {
            let expected = 0.999f64.powf(exponent as f64);
            // Each of the squarings doubles the relative error: at most about `exponent` roundings.
            let error = (power(0.999, exponent) / expected - 1.0).abs();
            assert!(error <= exponent as f64 * f64::EPSILON, "{exponent}: {error}");
        }
    }
}
