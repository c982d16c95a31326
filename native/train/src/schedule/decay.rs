use crate::Error;
use crate::error::{check_above_zero, check_count, check_positive};
use serde::{Deserialize, Serialize};

/// Falls with 1 over the iterations; the `decay` of every optimizer is short for it.
///
/// After `i` iterations, with decay `d`: `η / (1 + i·d)`.
///
/// Source: BigDL's `Default`, the `lr_decay` of PyTorch's Adagrad, Keras's `InverseTimeDecay` with
/// `decay_steps` = 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Default {
    /// Decay `d` per iteration, 0 or more; 0 keeps the rate.
    pub decay: f64,
}

impl Default {
    pub(crate) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base / (1.0 + iteration as f64 * self.decay)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_positive("Default", "decay", self.decay)
    }
}

/// Stays: `η`.
///
/// Source: Analytics Zoo's `Fixed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixed {}

/// Falls to 0 with a power of the iterations left.
///
/// After `i` of `n` iterations, with power `p`: `η · (1 - i/n)ᵖ`; 0 from iteration `n` on.
///
/// Source: BigDL's `Poly`; PyTorch's `PolynomialLR`; Keras's `PolynomialDecay` with an end at 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poly {
    /// Power `p`, above 0; 1 falls linearly.
    pub power: f64,
    /// Iterations `n` until the rate is 0, at least 1.
    pub max_iteration: u64,
}

impl Poly {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        if iteration >= self.max_iteration {
            return 0.0;
        }
        base * libm::pow(1.0 - iteration as f64 / self.max_iteration as f64, self.power)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("Poly", "max_iteration", self.max_iteration)?;
        check_above_zero("Poly", "power", self.power)
    }
}

/// Falls exponentially, by a given factor.
///
/// After `i` iterations, with factor `r` and `n` iterations per factor: `η · r^(i/n)`; with
/// `staircase` the exponent is rounded down.
///
/// Source: BigDL's `Exponential`; Keras's `ExponentialDecay`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Iterations `n` after which the rate has changed by the factor, at least 1.
    pub decay_step: u64,
    /// Factor `r`, 0 or more.
    pub decay_rate: f64,
    /// Whether the rate changes only every `decay_step` iterations; default false.
    #[serde(default)]
    pub staircase: bool,
}

impl Exponential {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        let exponent = if self.staircase {
            (iteration / self.decay_step) as f64
        } else {
            iteration as f64 / self.decay_step as f64
        };
        base * libm::pow(self.decay_rate, exponent)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("Exponential", "decay_step", self.decay_step)?;
        check_positive("Exponential", "decay_rate", self.decay_rate)
    }
}

/// Falls exponentially, in powers of e, every so many iterations.
///
/// After `i` iterations, with decay `γ` and `n` iterations per step: `η · e^(-γ·⌊i/n⌋)`.
///
/// Source: BigDL's `NaturalExp`; TensorFlow's `natural_exp_decay` with `staircase`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NaturalExp {
    /// Iterations `n` between two changes, at least 1.
    pub decay_step: u64,
    /// Decay `γ` per change, 0 or more.
    pub gamma: f64,
}

impl NaturalExp {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base * libm::exp(-self.gamma * (iteration / self.decay_step) as f64)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("NaturalExp", "decay_step", self.decay_step)?;
        check_positive("NaturalExp", "gamma", self.gamma)
    }
}
