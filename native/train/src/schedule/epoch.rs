use crate::Error;
use crate::error::{check, check_above_zero, check_count, check_positive};
use serde::{Deserialize, Serialize};

/// Falls by powers of ten, given for each epoch.
///
/// In epoch `e` (from 0), with exponents `d`: `η · 0.1^d[e]`; after the last exponent it holds on.
///
/// Source: BigDL's `EpochDecay`, whose `decayType` is a function of the epoch (from 1) and becomes a list
/// here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochDecay {
    /// Exponents `d` of the epochs 0, 1, …; at least one.
    pub exponents: Vec<f64>,
    /// Iterations of one epoch, at least 1.
    pub iterations_per_epoch: u64,
}

impl EpochDecay {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base * tenth(&self.exponents, iteration / self.iterations_per_epoch)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_exponents("EpochDecay", &self.exponents)?;
        check_count("EpochDecay", "iterations_per_epoch", self.iterations_per_epoch)
    }
}

/// Rises linearly, then falls by powers of ten, given for each epoch.
///
/// After `i` iterations, in epoch `e` (from 0), with `n` iterations of warm-up by `δ` and exponents `d`:
/// `η + δ·i` while `i < n`, then `(η + δ·n) · 0.1^d[e]`; after the last exponent it holds on. Epochs are
/// counted from the begin of the training.
///
/// Source: BigDL's `EpochDecayWithWarmUp`, whose `decayType` is a function of the epoch (from 1) and
/// becomes a list here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochDecayWithWarmUp {
    /// Iterations `n` of the rise; 0 is none.
    pub warm_up_iteration: u64,
    /// Increase `δ` per iteration, 0 or more.
    pub warm_up_delta: f64,
    /// Exponents `d` of the epochs 0, 1, …; at least one.
    pub exponents: Vec<f64>,
    /// Iterations of one epoch, at least 1.
    pub iterations_per_epoch: u64,
}

impl EpochDecayWithWarmUp {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        if iteration < self.warm_up_iteration {
            return base + self.warm_up_delta * iteration as f64;
        }
        let most = base + self.warm_up_delta * self.warm_up_iteration as f64;
        most * tenth(&self.exponents, iteration / self.iterations_per_epoch)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let who = "EpochDecayWithWarmUp";
        check_positive(who, "warm_up_delta", self.warm_up_delta)?;
        check_exponents(who, &self.exponents)?;
        check_count(who, "iterations_per_epoch", self.iterations_per_epoch)
    }
}

/// A rate of its own for each of some ranges of epochs.
///
/// The rate is that of the [`Regime`] of the epoch; between two regimes and after the last one that of
/// the one before holds on, and before the first one it is `η`.
///
/// Source: BigDL's `EpochSchedule`, which counts epochs from 1 and takes other settings into a regime as
/// well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSchedule {
    /// The regimes in their order, at least one.
    pub regimes: Vec<Regime>,
    /// Iterations of one epoch, at least 1.
    pub iterations_per_epoch: u64,
}

/// A range of epochs of an [`EpochSchedule`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Its first epoch, counted from 0; after the last one of the regime before.
    pub start_epoch: u64,
    /// Its last epoch.
    pub end_epoch: u64,
    /// The rate, 0 or more.
    pub learning_rate: f64,
}

impl EpochSchedule {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        let epoch = iteration / self.iterations_per_epoch;
        let begun = self.regimes.partition_point(|regime| regime.start_epoch <= epoch);
        self.regimes[..begun].last().map_or(base, |regime| regime.learning_rate)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let who = "EpochSchedule";
        check(!self.regimes.is_empty(), who, "regimes", "a list of at least one", "empty")?;
        check_count(who, "iterations_per_epoch", self.iterations_per_epoch)?;
        let ends = self.regimes.iter().all(|regime| regime.start_epoch <= regime.end_epoch);
        let rising = self.regimes.is_sorted_by(|a, b| a.end_epoch < b.start_epoch);
        let got = self.regimes.iter().map(|r| format!("{} to {}", r.start_epoch, r.end_epoch));
        let got = got.collect::<Vec<_>>().join(", ");
        check(ends && rising, who, "regimes", "ranges of epochs in rising order", got)?;
        let rates = self.regimes.iter().map(|regime| regime.learning_rate);
        rates.into_iter().try_for_each(|rate| check_positive(who, "learning_rate", rate))
    }
}

/// Falls to 0 with a power of the epochs left.
///
/// In epoch `e` (from 0) of `n`, with power `p`: `η · (1 - e/n)ᵖ`; 0 from epoch `n` on.
///
/// Source: Analytics Zoo's `PolyEpochDecay` (it counts epochs from 1, so its rate falls an epoch
/// earlier).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolyEpochDecay {
    /// Power `p`, above 0; 1 falls linearly.
    pub power: f64,
    /// Epochs `n` until the rate is 0, at least 1.
    pub max_epochs: u64,
    /// Iterations of one epoch, at least 1.
    pub iterations_per_epoch: u64,
}

impl PolyEpochDecay {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        let epoch = iteration / self.iterations_per_epoch;
        if epoch >= self.max_epochs {
            return 0.0;
        }
        base * libm::pow(1.0 - epoch as f64 / self.max_epochs as f64, self.power)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_above_zero("PolyEpochDecay", "power", self.power)?;
        check_count("PolyEpochDecay", "max_epochs", self.max_epochs)?;
        check_count("PolyEpochDecay", "iterations_per_epoch", self.iterations_per_epoch)
    }
}

/// `0.1^exponents[epoch]`, that of the last one after it.
fn tenth(exponents: &[f64], epoch: u64) -> f64 {
    let last = exponents.len().saturating_sub(1);
    let at = usize::try_from(epoch).map_or(last, |epoch| epoch.min(last));
    exponents.get(at).map_or(1.0, |&exponent| libm::pow(0.1, exponent))
}

fn check_exponents(who: &'static str, exponents: &[f64]) -> Result<(), Error> {
    let holds = !exponents.is_empty() && exponents.iter().all(|exponent| exponent.is_finite());
    check(holds, who, "exponents", "a list of at least one finite number", format!("{exponents:?}"))
}
