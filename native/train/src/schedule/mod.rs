//! How the learning rate changes from iteration to iteration.
//!
//! A schedule is a pure function of the optimizer's `learning_rate` and the number of iterations
//! done, so every owner of a slice knows the rate without being told, also after a restart. Powers,
//! exponentials and cosines are computed in software: the same bits with any C library.

mod annealing;
mod decay;
mod sequence;
mod step;

pub use annealing::{Cosine, OneCycle};
pub use decay::{Default, Exponential, NaturalExp, Poly};
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
        }
    }
}

#[cfg(test)]
mod tests;
