//! What the owner of a slice does once per iteration: sum the gradients, apply the optimizer.

use crate::Error;
use crate::error::{check, check_length};
use crate::optim::{Chunk, Optimizer};
use crate::tree::{Reduction, Root};
use nn::{ParameterKind, ParameterTable};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::ops::Range;

/// Floats of one cell of the fixed grid over the parameter vector, along which sums are taken.
pub const GRID: usize = 4096;

/// Floats updated at a time: sums, weights and state of a chunk stay in the processor's cache.
const CHUNK: usize = GRID;

/// One slice's update: a pure function of its fields.
///
/// For each float of the slice, `g` being the sum of all shards' gradients along the fixed tree:
///
/// - trainable: `g` is clipped if the optimizer says so, then the optimizer moves the weight;
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
        let (reduction, runs) = self.prepare(weights_new, state_new)?;
        let mut scratch = self.scratch(&reduction);
        for mut part in self.parts(weights_new, state_new) {
            self.update(&reduction, &runs, &mut part, &mut scratch);
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
        let (reduction, runs) = self.prepare(weights_new, state_new)?;
        let parts = self.parts(weights_new, state_new);
        pool.install(|| {
            parts.into_par_iter().for_each_init(
                || self.scratch(&reduction),
                |scratch, mut part| self.update(&reduction, &runs, &mut part, scratch),
            );
        });
        Ok(())
    }

    /// What this slice contributes to the sums that the rule needs, in the order of the vector: the
    /// contributions of all slices, one after the other, are the same however many slices there are.
    /// Empty if [`Optimizer::needs_sums`] is false. `sums` is not read.
    ///
    /// # Errors
    /// As [`Update::run`].
    pub fn partial_sums(&self) -> Result<Vec<f64>, Error> {
        Ok(Vec::new())
    }

    /// Checks everything and compiles the order of the sum and the slice's runs.
    fn prepare(
        &self,
        weights_new: &[f32],
        state_new: &[f32],
    ) -> Result<(Reduction, Vec<Run>), Error> {
        let inside = self.slice.start <= self.slice.end && self.slice.end <= self.parameters.len();
        let got = format!("{:?} of {}", self.slice, self.parameters.len());
        check(inside, "update", "slice", "a range within the parameter vector", got)?;
        let len = self.slice.len();
        let remedy = "Cut every vector with the same slice";
        check_length("weights before the update", len, self.weights_old.len(), remedy)?;
        check_length("weights after the update", len, weights_new.len(), remedy)?;
        let got = self.rate_factor;
        crate::error::check_positive("update", "rate_factor", got)?;
        let remedy = "Pass the partial sums of all slices if the optimizer needs them, else none";
        check_length("sums", 0, self.sums.len(), remedy)?;
        let state = self.optimizer.slots() * len;
        let remedy = "Give every slot of the optimizer one float per weight of the slice";
        check_length("state before the update", state, self.state_old.len(), remedy)?;
        check_length("state after the update", state, state_new.len(), remedy)?;
        let count = (self.roots.len(), self.gradients.len());
        let got = format!("{} for {} roots", count.1, count.0);
        check(count.0 == count.1, "update", "number of gradients", "one per root", got)?;
        for gradient in self.gradients {
            check_length(
                "gradient",
                len,
                gradient.len(),
                "Cut every gradient with the same slice",
            )?;
        }
        Ok((Reduction::new(self.roots, self.shards)?, self.runs()))
    }

    /// The slice as runs of one kind, relative to its begin.
    fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for parameter in self.parameters.iter() {
            let range = parameter.range();
            let begin = range.start.max(self.slice.start);
            let end = range.end.min(self.slice.end);
            if begin < end {
                let at = begin - self.slice.start..end - self.slice.start;
                match runs.last_mut() {
                    Some(last) if last.kind == parameter.kind => last.at.end = at.end,
                    _ => runs.push(Run { at, kind: parameter.kind }),
                }
            }
        }
        runs
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

    fn update(
        &self,
        reduction: &Reduction,
        runs: &[Run],
        part: &mut Part<'_>,
        scratch: &mut [f32],
    ) {
        let (begin, end) = (part.begin, part.begin + part.weights.len());
        let sum = reduction.sum(self.gradients, begin..end, scratch);
        let clipped;
        let gradient = match self.optimizer.clip_value() {
            None => sum,
            Some(bound) => {
                clipped = sum.iter().map(|g| g.clamp(-bound, bound)).collect::<Vec<f32>>();
                &clipped[..]
            }
        };
        let slots = self.state_old.chunks(self.slice.len());
        let mut chunk = Chunk {
            iteration: self.iteration,
            rate_factor: self.rate_factor,
            gradient,
            weights_old: &self.weights_old[begin..end],
            weights_new: &mut *part.weights,
            state_old: slots.map(|slot| &slot[begin..end]).collect(),
            state_new: part.state.iter_mut().map(|slot| &mut slot[..]).collect(),
        };
        let first = runs.partition_point(|run| run.at.end <= begin);
        for run in runs[first..].iter().take_while(|run| run.at.start < end) {
            let at = run.at.start.max(begin) - begin..run.at.end.min(end) - begin;
            let mut chunk = chunk.part(at.clone());
            match run.kind {
                ParameterKind::Trainable => self.optimizer.step(&mut chunk),
                ParameterKind::Statistic => chunk.keep_state(&sum[at]),
                ParameterKind::Frozen => chunk.keep_state(chunk.weights_old),
            }
        }
    }
}

/// Neighbouring floats of the slice that are of one kind.
struct Run {
    /// Relative to the slice's begin.
    at: Range<usize>,
    kind: ParameterKind,
}

/// The outputs of one chunk.
struct Part<'a> {
    begin: usize,
    weights: &'a mut [f32],
    state: Vec<&'a mut [f32]>,
}

impl Chunk<'_> {
    /// Sets the weights and leaves the optimizer's state as it was.
    fn keep_state(&mut self, weights: &[f32]) {
        self.weights_new.copy_from_slice(weights);
        for (new, old) in self.state_new.iter_mut().zip(&self.state_old) {
            new.copy_from_slice(old);
        }
    }
}

#[cfg(test)]
mod tests;
