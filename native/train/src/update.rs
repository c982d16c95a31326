//! What the owner of a slice does once per iteration: sum the gradients, apply the optimizer.

mod layout;
mod step;
mod sums;

use crate::Error;
use crate::compression::Rounding;
use crate::error::{check, check_length, check_positive};
use crate::optim::{Old, Optimizer};
use crate::tree::{Reduction, Root};
use layout::Layout;
use nn::ParameterTable;
use rayon::ThreadPool;
use rayon::prelude::*;
use std::ops::Range;
use step::Prepared;

/// Floats of one cell of the fixed grid over the parameter vector, along which sums are taken.
pub const GRID: usize = 4096;

/// Floats updated at a time: sums, weights and state of a chunk stay in the processor's cache.
const CHUNK: usize = GRID;

/// One slice's update: a pure function of its fields.
///
/// For each float of the slice, `g` being the sum of all shards' gradients along the fixed tree:
///
/// - trainable: `g` is clipped if the optimizer says so, then the optimizer moves the weight, which
///   takes the sums over the vector that [`Update::partial_sums`] of all slices gave;
/// - statistic (running mean and variance): `g` is the new value, already weighted by each shard's
///   share of the samples, and replaces the weight;
/// - frozen: the weight stays.
///
/// The same bits come out however the parameter vector is cut into slices, however the shards are
/// spread over the roots, and on any number of threads.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The rule.
    pub optimizer: &'a Optimizer,
    /// What each range of the flat vector is.
    pub parameters: &'a ParameterTable,
    /// The floats of the flat vector that this update is about.
    pub slice: Range<usize>,
    /// Iterations done before this one.
    pub iteration: u64,
    /// Iterations that the state has seen: `iteration`, unless it began later.
    pub age: u64,
    /// Factor of the learning rate, 1 in general; what is measured while training may lower it.
    pub rate_factor: f64,
    /// The partial sums of all slices, one after the other; empty if the rule needs none.
    pub sums: &'a [f64],
    /// Number of shards S of the training.
    pub shards: usize,
    /// The roots of all tasks, in any order; together they cover every shard once.
    pub roots: &'a [Root],
    /// The slice of each root's gradient, in the order of `roots`.
    pub gradients: &'a [&'a [f32]],
    /// How the sum of each further block is rounded; none if gradients are not compressed.
    pub rounding: Option<Rounding<'a>>,
    /// The slice of the weights before the iteration.
    pub weights_old: &'a [f32],
    /// The slice's optimizer state before the iteration: slot after slot, each as long as the slice.
    pub state_old: &'a [f32],
}

impl Update<'_> {
    /// Writes the slice's new weights and state on the calling thread.
    ///
    /// # Errors
    /// [`Error::Roots`] when the roots do not cover every shard once, [`Error::Length`] or
    /// [`Error::Setting`] when a vector or the slice does not fit. Nothing is written then.
    pub fn run(&self, weights_new: &mut [f32], state_new: &mut [f32]) -> Result<(), Error> {
        let prepared = self.prepare(weights_new, state_new)?;
        let mut scratch = self.scratch(&prepared.reduction);
        for mut part in self.parts(weights_new, state_new) {
            self.update(&prepared, &mut part, &mut scratch);
        }
        Ok(())
    }

    /// [`Update::run`] on the threads of `pool`; worthwhile from about a million floats.
    ///
    /// # Errors
    /// As [`Update::run`].
    pub fn run_on(
        &self,
        pool: &ThreadPool,
        weights_new: &mut [f32],
        state_new: &mut [f32],
    ) -> Result<(), Error> {
        let prepared = self.prepare(weights_new, state_new)?;
        let parts = self.parts(weights_new, state_new);
        pool.install(|| {
            parts.into_par_iter().for_each_init(
                || self.scratch(&prepared.reduction),
                |scratch, mut part| self.update(&prepared, &mut part, scratch),
            );
        });
        Ok(())
    }

    /// The chunk `at` of the slice before the iteration; its gradient is the sum over all shards.
    fn old<'b>(
        &'b self,
        reduction: &Reduction,
        at: Range<usize>,
        scratch: &'b mut [f32],
    ) -> Old<'b> {
        let slots = self.state_old.chunks(self.slice.len().max(1));
        let begin = self.slice.start + at.start;
        let round = |block, values: &mut [f32]| {
            if let Some(rounding) = &self.rounding {
                rounding.round(block, begin, values);
            }
        };
        Old {
            iteration: self.age,
            rank: 0,
            gradient: reduction.sum(self.gradients, at.clone(), scratch, round),
            weights: &self.weights_old[at.clone()],
            state: slots.map(|slot| &slot[at.clone()]).collect(),
        }
    }

    /// Checks everything and compiles the order of the sum and what is done with the slice.
    fn prepare(&self, weights_new: &[f32], state_new: &[f32]) -> Result<Prepared<'_>, Error> {
        let reduction = self.check_inputs()?;
        let len = self.slice.len();
        let remedy = "Cut every vector with the same slice";
        check_length("weights after the update", len, weights_new.len(), remedy)?;
        let remedy = "Give every slot of the optimizer one float per weight of the slice";
        let state = self.optimizer.slots() * len;
        check_length("state after the update", state, state_new.len(), remedy)?;
        check_positive("update", "rate_factor", self.rate_factor)?;
        let layout = Layout::new(self.optimizer, self.parameters);
        let totals = layout.totals(self.sums)?;
        let runs = layout.runs(&self.slice);
        let rates = layout.groups.iter().map(|group| group.learning_rate(self.iteration));
        let rates = rates.map(|rate| rate * self.rate_factor).collect();
        let ema_decay = self.optimizer.common.ema_decay;
        Ok(Prepared { reduction, groups: layout.groups, rates, totals, ema_decay, runs })
    }

    /// Checks what is read and compiles the order of the sum.
    fn check_inputs(&self) -> Result<Reduction, Error> {
        let inside = self.slice.start <= self.slice.end && self.slice.end <= self.parameters.len();
        let got = format!("{:?} of {}", self.slice, self.parameters.len());
        check(inside, "update", "slice", "a range within the parameter vector", got)?;
        let len = self.slice.len();
        let remedy = "Cut every vector with the same slice";
        check_length("weights before the update", len, self.weights_old.len(), remedy)?;
        let remedy = "Give every slot of the optimizer one float per weight of the slice";
        let state = self.optimizer.slots() * len;
        check_length("state before the update", state, self.state_old.len(), remedy)?;
        let count = (self.roots.len(), self.gradients.len());
        let got = format!("{} for {} roots", count.1, count.0);
        check(count.0 == count.1, "update", "number of gradients", "one per root", got)?;
        let remedy = "Cut every gradient with the same slice";
        for gradient in self.gradients {
            check_length("gradient", len, gradient.len(), remedy)?;
        }
        Reduction::new(self.roots, self.shards)
    }

    fn scratch(&self, reduction: &Reduction) -> Vec<f32> {
        vec![0.0; reduction.scratch(CHUNK.min(self.slice.len()))]
    }

    /// The slice in chunks of [`CHUNK`] floats.
    fn parts<'a>(&self, weights_new: &'a mut [f32], state_new: &'a mut [f32]) -> Vec<Part<'a>> {
        let len = self.slice.len().max(1);
        let mut slots: Vec<_> =
            state_new.chunks_mut(len).map(|slot| slot.chunks_mut(CHUNK)).collect();
        let weights = weights_new.chunks_mut(CHUNK);
        (0..)
            .step_by(CHUNK)
            .zip(weights)
            .map(|(begin, weights)| Part {
                begin,
                weights,
                state: slots.iter_mut().filter_map(Iterator::next).collect(),
            })
            .collect()
    }

    fn update(&self, prepared: &Prepared<'_>, part: &mut Part<'_>, scratch: &mut [f32]) {
        let runs = &prepared.runs;
        let (begin, end) = (part.begin, part.begin + part.weights.len());
        let old = self.old(&prepared.reduction, begin..end, scratch);
        let first = runs.partition_point(|run| run.at.end <= begin);
        for run in runs[first..].iter().take_while(|run| run.at.start < end) {
            let at = run.at.start.max(begin) - begin..run.at.end.min(end) - begin;
            let weights = &mut part.weights[at.clone()];
            let state = part.state.iter_mut().map(|slot| &mut slot[at.clone()]).collect();
            prepared.update(run.act, old.part(at), weights, state);
        }
    }
}

/// The outputs of one chunk.
struct Part<'a> {
    begin: usize,
    weights: &'a mut [f32],
    state: Vec<&'a mut [f32]>,
}

#[cfg(test)]
mod tests;
