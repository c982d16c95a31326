use crate::Error;
use crate::error::{check_below_one, check_count, check_positive};
use serde::{Deserialize, Serialize};

/// Falls by a factor whenever what is measured has stopped getting better.
///
/// It is no function of the iteration: [`Plateau::factor`] is one of the values measured so far, and
/// whoever measures them hands it to each update. With best value `b`, factor `γ`, measured after an
/// epoch or at other times, a value `x` counts as better if `x < b - ε` (mode `min`) or `x > b + ε` (mode
/// `max`). After `patience` values in a row that are not better the rate falls to `γ` times itself, at
/// least `min_lr`; the `cooldown` values after that are not counted.
///
/// In a [`SequentialSchedule`](super::SequentialSchedule) it looks at all values since the training began.
///
/// Sources: Keras's `ReduceLROnPlateau` (where `epsilon` is `min_delta`); BigDL's `Plateau`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// What is measured: the loss or the score of the validation; default the loss.
    pub monitor: Monitor,
    /// Factor `γ` of a fall, in [0, 1); default 0.1.
    pub factor: f64,
    /// Values without improvement before a fall, at least 1; default 10.
    pub patience: u64,
    /// Whether less or more is better; default `min`.
    pub mode: PlateauMode,
    /// Least change `ε` that counts as better, 0 or more; default 0.0001.
    pub epsilon: f64,
    /// Values after a fall that are not counted; default 0.
    pub cooldown: u64,
    /// Least rate, 0 or more; default 0.
    pub min_lr: f64,
}

/// What a [`Plateau`] looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Monitor {
    /// The mean loss.
    #[default]
    Loss,
    /// The metric.
    Score,
}

/// What is better for a [`Plateau`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlateauMode {
    /// Less.
    #[default]
    Min,
    /// More.
    Max,
}

impl Default for Plateau {
    fn default() -> Self {
        Plateau {
            monitor: Monitor::default(),
            factor: 0.1,
            patience: 10,
            mode: PlateauMode::default(),
            epsilon: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
        }
    }
}

impl Plateau {
    /// The factor of the rate `base` after these values, the oldest first.
    ///
    /// ```
    /// use train::schedule::Plateau;
    /// let plateau = Plateau { factor: 0.5, patience: 2, ..Plateau::default() };
    /// assert_eq!(plateau.factor(0.1, &[3.0, 2.0, 2.0]), 1.0);
    /// assert_eq!(plateau.factor(0.1, &[3.0, 2.0, 2.0, 2.5]), 0.5);
    /// ```
    pub fn factor(&self, base: f64, history: &[f64]) -> f64 {
        let (mut factor, mut best) = (1.0, None::<f64>);
        let (mut wait, mut rest) = (0, 0);
        for &value in history {
            if rest > 0 {
                rest -= 1;
                wait = 0;
            }
            let better = best.is_none_or(|best| match self.mode {
                PlateauMode::Min => value < best - self.epsilon,
                PlateauMode::Max => value > best + self.epsilon,
            });
            if better && !value.is_nan() {
                best = Some(value);
                wait = 0;
            } else if rest == 0 {
                wait += 1;
                if wait >= self.patience {
                    factor = self.fall(factor, base);
                    rest = self.cooldown;
                    wait = 0;
                }
            }
        }
        factor
    }

    /// The factor after one more fall; the rate never rises, also if it starts below `min_lr`.
    fn fall(&self, factor: f64, base: f64) -> f64 {
        let least = if base > 0.0 { self.min_lr / base } else { 0.0 };
        (factor * self.factor).max(least).min(factor)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_below_one("Plateau", "factor", self.factor)?;
        check_count("Plateau", "patience", self.patience)?;
        check_positive("Plateau", "epsilon", self.epsilon)?;
        check_positive("Plateau", "min_lr", self.min_lr)
    }
}
