use super::Schedule;
use crate::Error;
use crate::error::{check, check_count, check_positive};
use serde::{Deserialize, Serialize};

/// Rises linearly; the first stage of a [`SequentialSchedule`].
///
/// After `i` iterations, with increase `δ`: `η + δ·i`, without end.
///
/// Sources: BigDL's `Warmup`; Goyal et al., "Accurate, large minibatch SGD: training ImageNet in
/// 1 hour", 2017, section 2.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Increase `δ` per iteration, 0 or more.
    pub delta: f64,
}

impl Warmup {
    pub(super) fn rate(&self, base: f64, iteration: u64) -> f64 {
        base + self.delta * iteration as f64
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_positive("Warmup", "delta", self.delta)
    }
}

/// One schedule after the other; the last one runs on.
///
/// Each stage counts its own iterations from 0. Its base is the rate that the stage before has
/// reached at its end: after a [`Warmup`] by `δ` for `n` iterations, `η + δ·n`.
///
/// Source: BigDL's `SequentialSchedule`, where each stage runs one iteration longer and `Poly` counts
/// all iterations of the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequentialSchedule {
    /// The schedules in their order, at least one.
    pub stages: Vec<Stage>,
}

/// One stage of a [`SequentialSchedule`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What the learning rate does.
    pub schedule: Schedule,
    /// For how many iterations, at least 1; without effect in the last stage.
    pub iterations: u64,
}

impl SequentialSchedule {
    pub(super) fn rate(&self, mut base: f64, mut iteration: u64) -> f64 {
        let Some((last, stages)) = self.stages.split_last() else { return base };
        for stage in stages {
            if iteration < stage.iterations {
                return stage.schedule.rate(base, iteration);
            }
            base = stage.schedule.rate(base, stage.iterations);
            iteration -= stage.iterations;
        }
        last.schedule.rate(base, iteration)
    }

    pub(super) fn rate_factor(&self, mut base: f64, history: &[f64]) -> f64 {
        let mut factor = 1.0;
        for stage in &self.stages {
            factor *= stage.schedule.rate_factor(base, history);
            base = stage.schedule.rate(base, stage.iterations);
        }
        factor
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let who = "SequentialSchedule";
        check(!self.stages.is_empty(), who, "stages", "a list of at least one", "empty")?;
        for stage in &self.stages {
            check_count(who, "iterations", stage.iterations)?;
            stage.schedule.check()?;
        }
        Ok(())
    }
}
