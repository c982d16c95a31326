use crate::Error;
use crate::error::{check, check_above_zero, check_count, check_positive};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Falls along half a cosine.
///
/// After `i` of `n` iterations, with least rate `m`: `m + (η - m) · (1 + cos(π·i/n)) / 2`; `m` from
/// iteration `n` on.
///
/// Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017,
/// equation 5, without restarts; PyTorch's `CosineAnnealingLR` up to its end; Keras's `CosineDecay`
/// with `alpha` = `m/η`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// Iterations `n` until the least rate, at least 1.
    pub max_iteration: u64,
    /// Least rate `m`, 0 or more; default 0.
    #[serde(default)]
    pub min_learning_rate: f64,
}

impl Cosine {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        anneal(base, self.min_learning_rate, iteration as f64 / self.max_iteration as f64)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("Cosine", "max_iteration", self.max_iteration)?;
        check_positive("Cosine", "min_learning_rate", self.min_learning_rate)
    }
}

/// Rises to the optimizer's learning rate, then falls far below its start, both along half a cosine.
///
/// The optimizer's learning rate `η` is the peak. With `n` iterations and `c = pct_start·n - 1`:
///
/// ```text
/// from η/div_factor to η                                for iterations 0 to c
/// from η to η/(div_factor·final_div_factor)             for iterations c to n - 1
/// from a to b:  b + (a - b) · (1 + cos(π·part of the way)) / 2
/// ```
///
/// From iteration `n - 1` on the rate stays at its end. Momentum is left alone.
///
/// Source: Smith and Topin, "Super-convergence: very fast training of neural networks using large
/// learning rates", 2018; PyTorch's `OneCycleLR` with its defaults and `cycle_momentum` = false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// Iterations `n` of the whole cycle, at least 2; `pct_start·n` must be above 1.
    pub max_iteration: u64,
    /// Share of the cycle in which the rate rises, in (0, 1); default 0.3.
    #[serde(default = "pct_start")]
    pub pct_start: f64,
    /// Peak over start, above 0; default 25.
    #[serde(default = "div_factor")]
    pub div_factor: f64,
    /// Start over end, above 0; default 10,000.
    #[serde(default = "final_div_factor")]
    pub final_div_factor: f64,
}

fn pct_start() -> f64 {
    0.3
}

fn div_factor() -> f64 {
    25.0
}

fn final_div_factor() -> f64 {
    1e4
}

impl OneCycle {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        let (start, last) = (base / self.div_factor, (self.max_iteration - 1) as f64);
        let (peak, at) = (self.pct_start * self.max_iteration as f64 - 1.0, iteration as f64);
        if at <= peak {
            anneal(start, base, at / peak)
        } else {
            anneal(base, start / self.final_div_factor, (at - peak) / (last - peak))
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let who = "OneCycle";
        let part = self.pct_start > 0.0 && self.pct_start < 1.0;
        check(part, who, "pct_start", "a number above 0 and below 1", self.pct_start)?;
        check_above_zero(who, "div_factor", self.div_factor)?;
        check_above_zero(who, "final_div_factor", self.final_div_factor)?;
        let long = self.pct_start * self.max_iteration as f64 > 1.0;
        let expected = "above 1 / pct_start, so that the rate has time to rise";
        check(long, who, "max_iteration", expected, self.max_iteration)
    }
}

/// From `start` to `end` along half a cosine; `end` beyond it.
fn anneal(start: f64, end: f64, part: f64) -> f64 {
    if part >= 1.0 { end } else { end + (start - end) * (1.0 + libm::cos(PI * part)) / 2.0 }
}
