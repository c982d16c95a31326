//! How the learning rate changes from iteration to iteration.
//!
//! A schedule is a pure function of the optimizer's `learning_rate` and the number of iterations
//! done, so every owner of a slice knows the rate without being told, also after a restart. Only
//! [`Plateau`] depends on what is measured, of which it is a pure function as well. Powers,
//! exponentials and cosines are computed in software: the same bits with any C library.

mod annealing;
mod decay;
mod epoch;
mod plateau;
mod sequence;
mod step;

pub use annealing::{Cosine, OneCycle};
pub use decay::{Default, Exponential, Fixed, NaturalExp, Poly};
pub use epoch::{EpochDecay, EpochDecayWithWarmUp, EpochSchedule, PolyEpochDecay, Regime};
pub use plateau::{Monitor, Plateau, PlateauMode};
pub use sequence::{SequentialSchedule, Stage, Warmup};
pub use step::{EpochStep, MultiStep, Step};

use crate::Error;
use serde::{Deserialize, Serialize};

/// A learning-rate schedule; its serde form is `{"class": "Step", "config": {"step_size": 100, …}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", content = "config", deny_unknown_fields)]
pub enum Schedule {
    /// Falls with 1 over the iterations.
    Default(Default),
    /// Falls to 0 with a power of the iterations left.
    Poly(Poly),
    /// Falls by a factor every so many iterations.
    Step(Step),
    /// Falls by a factor at given iterations.
    MultiStep(MultiStep),
    /// Falls by a factor every so many epochs.
    EpochStep(EpochStep),
    /// Falls exponentially, by a given factor.
    Exponential(Exponential),
    /// Falls exponentially, in powers of e.
    NaturalExp(NaturalExp),
    /// Rises linearly.
    Warmup(Warmup),
    /// One schedule after the other.
    SequentialSchedule(SequentialSchedule),
    /// Falls along half a cosine.
    Cosine(Cosine),
    /// Rises, then falls, both along half a cosine.
    OneCycle(OneCycle),
    /// Falls by powers of ten, given for each epoch.
    EpochDecay(EpochDecay),
    /// Rises linearly, then falls by powers of ten, given for each epoch.
    EpochDecayWithWarmUp(EpochDecayWithWarmUp),
    /// A rate of its own for each of some ranges of epochs.
    EpochSchedule(EpochSchedule),
    /// Falls to 0 with a power of the epochs left.
    PolyEpochDecay(PolyEpochDecay),
    /// Stays.
    Fixed(Fixed),
    /// Falls by a factor whenever what is measured has stopped getting better.
    Plateau(Plateau),
}

impl Schedule {
    /// The learning rate after `iteration` iterations, if `base` is the optimizer's.
    ///
    /// ```
    /// use train::schedule::{Schedule, Step};
    /// let schedule = Schedule::Step(Step { step_size: 100, gamma: 0.5 });
    /// assert_eq!(schedule.rate(0.1, 99), 0.1);
    /// assert_eq!(schedule.rate(0.1, 200), 0.025);
    /// ```
    pub fn rate(&self, base: f64, iteration: u64) -> f64 {
        match self {
            Schedule::Default(schedule) => schedule.rate(base, iteration),
            Schedule::Poly(schedule) => schedule.rate(base, iteration),
            Schedule::Step(schedule) => schedule.rate(base, iteration),
            Schedule::MultiStep(schedule) => schedule.rate(base, iteration),
            Schedule::EpochStep(schedule) => schedule.rate(base, iteration),
            Schedule::Exponential(schedule) => schedule.rate(base, iteration),
            Schedule::NaturalExp(schedule) => schedule.rate(base, iteration),
            Schedule::Warmup(schedule) => schedule.rate(base, iteration),
            Schedule::SequentialSchedule(schedule) => schedule.rate(base, iteration),
            Schedule::Cosine(schedule) => schedule.rate(base, iteration),
            Schedule::OneCycle(schedule) => schedule.rate(base, iteration),
            Schedule::EpochDecay(schedule) => schedule.rate(base, iteration),
            Schedule::EpochDecayWithWarmUp(schedule) => schedule.rate(base, iteration),
            Schedule::EpochSchedule(schedule) => schedule.rate(base, iteration),
            Schedule::PolyEpochDecay(schedule) => schedule.rate(base, iteration),
            Schedule::Fixed(_) | Schedule::Plateau(_) => base,
        }
    }

    /// The factor that the values measured so far, the oldest first, make of [`Schedule::rate`]: that of
    /// a [`Plateau`], else 1.
    pub fn rate_factor(&self, base: f64, history: &[f64]) -> f64 {
        match self {
            Schedule::Plateau(schedule) => schedule.factor(base, history),
            Schedule::SequentialSchedule(schedule) => schedule.rate_factor(base, history),
            _ => 1.0,
        }
    }

    /// Whether [`Schedule::rate_factor`] depends on what is measured.
    pub fn measures(&self) -> bool {
        match self {
            Schedule::Plateau(_) => true,
            Schedule::SequentialSchedule(schedule) => {
                schedule.stages.iter().any(|stage| stage.schedule.measures())
            }
            _ => false,
        }
    }

    /// Refuses settings outside their range.
    ///
    /// # Errors
    /// [`Error::Setting`], which names the schedule and the setting.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Schedule::Default(schedule) => schedule.check(),
            Schedule::Poly(schedule) => schedule.check(),
            Schedule::Step(schedule) => schedule.check(),
            Schedule::MultiStep(schedule) => schedule.check(),
            Schedule::EpochStep(schedule) => schedule.check(),
            Schedule::Exponential(schedule) => schedule.check(),
            Schedule::NaturalExp(schedule) => schedule.check(),
            Schedule::Warmup(schedule) => schedule.check(),
            Schedule::SequentialSchedule(schedule) => schedule.check(),
            Schedule::Cosine(schedule) => schedule.check(),
            Schedule::OneCycle(schedule) => schedule.check(),
            Schedule::EpochDecay(schedule) => schedule.check(),
            Schedule::EpochDecayWithWarmUp(schedule) => schedule.check(),
            Schedule::EpochSchedule(schedule) => schedule.check(),
            Schedule::PolyEpochDecay(schedule) => schedule.check(),
            Schedule::Fixed(_) => Ok(()),
            Schedule::Plateau(schedule) => schedule.check(),
        }
    }
}

#[cfg(test)]
mod tests;
