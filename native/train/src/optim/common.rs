use crate::Error;
use crate::error::{check, check_below_one, check_positive};
use crate::schedule::{Default as Decay, Schedule};
use serde::{Deserialize, Serialize};

/// The settings that every optimizer has.
///
/// The gradient `g` that the rule sees, with clip value `v` and clip norm `c`:
///
/// ```text
/// g ← min(max(g, -v), v)                         (if clip_value)
/// g ← g · min(1, c / ‖g‖₂)                       (if clip_norm; the norm is over all weights)
/// ```
///
/// What it makes of the weights `w`, with the average's decay `d`:
///
/// ```text
/// a ← a - (1 - d)·(a - w)                        (if ema_decay; a starts as the initial weights)
/// ```
///
/// `a` of a frozen parameter or a running statistic is its value, so that `a` is a whole vector of
/// weights.
///
/// Source of `clip_norm`: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural
/// networks", 2013, algorithm 1; PyTorch's `clip_grad_norm_`, but for the 1e-6 that it adds to the norm.
/// Sources of `ema_decay`: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging",
/// 1992; TensorFlow's `ExponentialMovingAverage` without `num_updates`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Common {
    /// Learning-rate decay per iteration: `η / (1 + iteration · decay)`; default 0.
    pub decay: f64,
    /// Bound on the absolute value of each gradient element; default none.
    pub clip_value: Option<f32>,
    /// Bound on the L2 norm of the gradient of all trainable parameters, after `clip_value`; default
    /// none.
    pub clip_norm: Option<f64>,
    /// Share `d` of the average of the weights that is kept, in [0, 1); the average is the last slot
    /// of the state. Default none: no average.
    pub ema_decay: Option<f64>,
    /// How the learning rate changes, in place of `decay`; default none.
    pub schedule: Option<Schedule>,
}

impl Common {
    pub(super) fn check(&self, who: &'static str) -> Result<(), Error> {
        check_positive(who, "decay", self.decay)?;
        let clip = self.clip_value.unwrap_or(1.0);
        check(clip > 0.0, who, "clip_value", "a number above 0, or null for no clipping", clip)?;
        let clip = self.clip_norm.unwrap_or(1.0);
        check(clip > 0.0, who, "clip_norm", "a number above 0, or null for no clipping", clip)?;
        check_below_one(who, "ema_decay", self.ema_decay.unwrap_or(0.0))?;
        let Some(schedule) = &self.schedule else { return Ok(()) };
        let expected = "0 beside a schedule, which takes its place";
        check(self.decay == 0.0, who, "decay", expected, self.decay)?;
        schedule.check()
    }

    /// The learning rate after `iteration` iterations, if `base` is the method's.
    pub(super) fn learning_rate(&self, base: f64, iteration: u64) -> f64 {
        match &self.schedule {
            Some(schedule) => schedule.rate(base, iteration),
            None => Decay { decay: self.decay }.rate(base, iteration),
        }
    }
}
