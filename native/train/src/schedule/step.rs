use crate::Error;
use crate::error::{check, check_count, check_positive};
use crate::power::power;
use serde::{Deserialize, Serialize};

/// Falls by a factor every so many iterations.
///
/// After `i` iterations, with factor `γ` and `n` iterations per step: `η · γ^⌊i/n⌋`.
///
/// Source: BigDL's `Step`; PyTorch's `StepLR`, stepped once per iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Iterations `n` between two steps, at least 1.
    pub step_size: u64,
    /// Factor `γ` of a step, 0 or more.
    pub gamma: f64,
}

impl Step {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base * power(self.gamma, iteration / self.step_size)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("Step", "step_size", self.step_size)?;
        check_positive("Step", "gamma", self.gamma)
    }
}

/// Falls by a factor at given iterations.
///
/// After `i` iterations, with factor `γ`: `η · γᵏ`, `k` being how many of the `step_sizes` are at
/// most `i`.
///
/// Source: BigDL's `MultiStep`; PyTorch's `MultiStepLR` (there: milestones), stepped once per
/// iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// Iterations at which the rate falls, each above the one before.
    pub step_sizes: Vec<u64>,
    /// Factor `γ` of a step, 0 or more.
    pub gamma: f64,
}

impl MultiStep {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        let steps = self.step_sizes.partition_point(|&at| at <= iteration);
        base * power(self.gamma, steps as u64)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let rising = self.step_sizes.is_sorted_by(|a, b| a < b);
        let got = format!("{:?}", self.step_sizes);
        check(rising, "MultiStep", "step_sizes", "iterations in rising order", got)?;
        check_positive("MultiStep", "gamma", self.gamma)
    }
}

/// Falls by a factor every so many epochs.
///
/// After `e` whole epochs, with factor `γ` and `n` epochs per step: `η · γ^⌊e/n⌋`. An epoch is
/// ⌈rows / batch size⌉ iterations.
///
/// Source: BigDL's `EpochStep` (it counts epochs from 1, so its first step comes an epoch earlier);
/// PyTorch's `StepLR`, stepped once per epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochStep {
    /// Epochs `n` between two steps, at least 1.
    pub step_size: u64,
    /// Factor `γ` of a step, 0 or more.
    pub gamma: f64,
    /// Iterations of one epoch, at least 1.
    pub iterations_per_epoch: u64,
}

impl EpochStep {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base * power(self.gamma, iteration / self.iterations_per_epoch / self.step_size)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_count("EpochStep", "step_size", self.step_size)?;
        check_count("EpochStep", "iterations_per_epoch", self.iterations_per_epoch)?;
        check_positive("EpochStep", "gamma", self.gamma)
    }
}
