use super::Chunk;
use super::rule::Rule;
use crate::Error;
use crate::error::{check_above_zero, check_positive};
use serde::{Deserialize, Serialize};

/// Follow the regularized leader, per coordinate, in Keras's formulation (PyTorch has none).
///
/// With gradient `g`, weight `w`, learning rate `η` (scheduled), initial value `a`, penalties `λ₁`, `λ₂`,
/// shrinkage `λₛ`:
///
/// ```text
/// r ← √(a + n)                   (of the state before this iteration)
/// n ← n + g²
/// z ← z + g + 2·λₛ·w - (√(a + n) - r)/η · w
/// w ← 0                                              if |z| ≤ λ₁
/// w ← (sign(z)·λ₁ - z) / ((β + √(a + n))/η + 2·λ₂)   otherwise
/// ```
///
/// The `λ₂` of the paper is `2·λ₂` here, and its `a` is 0. The weights are a function of the state:
/// with large `λ₁` most of them are exactly 0. It is a method for linear models whose weights start at
/// 0: other initial weights are forgotten after the first iteration but for a share `1 - r/√(a + n)`,
/// in Keras as well. At a learning rate of 0 weights and state stay as they are.
///
/// State: two slots, `n` then `z`, both starting at 0.
///
/// Source: McMahan et al., "Ad click prediction: a view from the trenches", 2013, algorithm 1. The
/// power of `n` is the paper's root; Keras has it as `learning_rate_power` = -0.5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ftrl {
    /// Step size `η`, 0 or more; default 0.001.
    pub learning_rate: f64,
    /// Where the sum of squares starts, `a`, above 0; default 0.1.
    pub initial_accumulator_value: f64,
    /// Lowers the first steps, `β`, 0 or more; default 0 (the paper advises 1).
    pub beta: f64,
    /// L1 penalty `λ₁`, makes weights exactly 0; 0 or more; default 0.
    pub l1_regularization_strength: f64,
    /// L2 penalty `λ₂` on the weights since the start, 0 or more; default 0.
    pub l2_regularization_strength: f64,
    /// L2 penalty `λₛ` on the weights now, added to the gradient in `z` alone; 0 or more; default 0.
    pub l2_shrinkage_regularization_strength: f64,
}

impl Default for Ftrl {
    fn default() -> Self {
        Ftrl {
            learning_rate: 0.001,
            initial_accumulator_value: 0.1,
            beta: 0.0,
            l1_regularization_strength: 0.0,
            l2_regularization_strength: 0.0,
            l2_shrinkage_regularization_strength: 0.0,
        }
    }
}

impl Rule for Ftrl {
    fn who(&self) -> &'static str {
        "Ftrl"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        let start = self.initial_accumulator_value;
        check_above_zero("Ftrl", "initial_accumulator_value", start)?;
        check_positive("Ftrl", "beta", self.beta)?;
        for (setting, value) in [
            ("l1_regularization_strength", self.l1_regularization_strength),
            ("l2_regularization_strength", self.l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", self.l2_shrinkage_regularization_strength),
        ] {
            check_positive("Ftrl", setting, value)?;
        }
        Ok(())
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let rate = learning_rate as f32;
        if rate == 0.0 {
            return chunk.each(|_, w, state: [f32; 2]| (w, state));
        }
        let (start, beta) = (self.initial_accumulator_value as f32, self.beta as f32);
        let l1 = self.l1_regularization_strength as f32;
        let l2 = (2.0 * self.l2_regularization_strength) as f32;
        let shrinkage = (2.0 * self.l2_shrinkage_regularization_strength) as f32;
        chunk.each(|g, w, [n_old, z]| {
            let n = n_old + g * g;
            let root = (start + n).sqrt();
            let z = z + g + shrinkage * w - (root - (start + n_old).sqrt()) / rate * w;
            ((z.clamp(-l1, l1) - z) / ((beta + root) / rate + l2), [n, z])
        });
    }
}
