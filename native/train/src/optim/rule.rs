use super::Chunk;
use crate::Error;
use crate::error::{check, check_positive};
use crate::schedule::{Default as Decay, Schedule};

/// Elements that are computed at a time.
const BLOCK: usize = 16;

/// What an optimizer has to say about itself; all else is the same for all of them.
pub(super) trait Rule {
    /// The settings that every optimizer has.
    fn common(&self) -> Common<'_>;

    /// How many floats of state belong to each weight.
    fn slots(&self) -> usize;

    /// Checks the settings that only this optimizer has.
    fn check(&self) -> Result<(), Error>;

    /// Writes the new weights and state of a chunk.
    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>);
}

/// The settings that every optimizer has.
pub(super) struct Common<'a> {
    pub who: &'static str,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub decay: f64,
    pub clip_value: Option<f32>,
    pub schedule: Option<&'a Schedule>,
}

impl Common<'_> {
    pub fn check(&self) -> Result<(), Error> {
        let Common { who, learning_rate, weight_decay, decay, .. } = *self;
        check_positive(who, "learning_rate", learning_rate)?;
        check_positive(who, "weight_decay", weight_decay)?;
        check_positive(who, "decay", decay)?;
        let clip = self.clip_value.unwrap_or(1.0);
        check(clip > 0.0, who, "clip_value", "a number above 0, or null for no clipping", clip)?;
        let Some(schedule) = self.schedule else { return Ok(()) };
        check(decay == 0.0, who, "decay", "0 beside a schedule, which takes its place", decay)?;
        schedule.check()
    }

    /// The learning rate after `iteration` iterations.
    pub fn learning_rate(&self, iteration: u64) -> f64 {
        match self.schedule {
            Some(schedule) => schedule.rate(self.learning_rate, iteration),
            None => Decay { decay: self.decay }.rate(self.learning_rate, iteration),
        }
    }
}

impl Chunk<'_> {
    /// For each element, `rule(gradient, weight, state)` gives the new weight and state.
    pub(super) fn each<const N: usize>(
        &mut self,
        rule: impl Fn(f32, f32, [f32; N]) -> (f32, [f32; N]),
    ) {
        let len = self.weights_new.len();
        let (Some(old), Some(new)) =
            (self.state_old.first_chunk::<N>(), self.state_new.first_chunk_mut::<N>())
        else {
            return;
        };
        // Blocks of a fixed length in local arrays, which nothing else can point to, let the
        // compiler use vectors whatever the number of slots.
        let whole = len - len % BLOCK;
        for at in (0..whole).step_by(BLOCK) {
            let (gradient, weights) = (block(self.gradient, at), block(self.weights_old, at));
            let mut state: [[f32; BLOCK]; N] = std::array::from_fn(|slot| block(old[slot], at));
            let mut moved = [0.0; BLOCK];
            for i in 0..BLOCK {
                let (weight, after) =
                    rule(gradient[i], weights[i], std::array::from_fn(|slot| state[slot][i]));
                moved[i] = weight;
                for slot in 0..N {
                    state[slot][i] = after[slot];
                }
            }
            self.weights_new[at..at + BLOCK].copy_from_slice(&moved);
            for slot in 0..N {
                new[slot][at..at + BLOCK].copy_from_slice(&state[slot]);
            }
        }
        for i in whole..len {
            let state = std::array::from_fn(|slot| old[slot][i]);
            let (weight, after) = rule(self.gradient[i], self.weights_old[i], state);
            self.weights_new[i] = weight;
            for slot in 0..N {
                new[slot][i] = after[slot];
            }
        }
    }
}

fn block(values: &[f32], at: usize) -> [f32; BLOCK] {
    let mut block = [0.0; BLOCK];
    block.copy_from_slice(&values[at..at + BLOCK]);
    block
}
