use super::{Chunk, Old};
use crate::Error;

/// What an optimizer has to say about itself; all else is the same for all of them.
pub(crate) trait Rule: Sync {
    /// Name in messages.
    fn who(&self) -> &'static str;

    /// The learning rate before the schedule.
    fn learning_rate(&self) -> f64;

    /// How many floats of state belong to each weight.
    fn slots(&self) -> usize;

    /// Checks the settings that only this optimizer has.
    fn check(&self) -> Result<(), Error>;

    /// Refuses to be used with `clip_norm`, if the [`Rule::sums`] of a clipped gradient are not a
    /// function of the factor and of those of the gradient before.
    fn check_clip_norm(&self, _clip_norm: f64) -> Result<(), Error> {
        Ok(())
    }

    /// The sums over the parameter vector that the rule needs.
    fn sums(&self) -> Sums {
        Sums::None
    }

    /// Writes the [`Rule::sums`] over some neighbouring weights; their gradient is not yet clipped by
    /// its norm. `sums` comes filled with 0.
    fn partial_sums(&self, _old: &Old<'_>, _sums: &mut [f64]) {}

    /// Writes the new weights and state of a chunk.
    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>);
}

/// Whether the chunk is of a parameter with more than one dimension: no bias, no scale or shift.
pub(super) fn matrix(chunk: &Chunk<'_>) -> bool {
    chunk.old.rank > 1
}

/// How many sums a rule needs, and over what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sums {
    /// None: the rule is element-wise.
    None,
    /// So many over each parameter.
    PerParameter(usize),
    /// So many over all parameters that the rule moves.
    PerGroup(usize),
}

impl Sums {
    /// How many.
    pub fn count(self) -> usize {
        match self {
            Sums::None => 0,
            Sums::PerParameter(count) | Sums::PerGroup(count) => count,
        }
    }
}
