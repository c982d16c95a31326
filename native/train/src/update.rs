//! What the owner of a slice does once per iteration: sum the gradients, apply the optimizer.

mod layout;

use crate::Error;
use crate::error::{check, check_length, check_positive};
use crate::optim::{Chunk, Group, Old, Optimizer, dot};
use crate::tree::{Reduction, Root};
use layout::{Act, Layout, Run, Totals};
use nn::ParameterTable;
use rayon::ThreadPool;
use rayon::prelude::*;
use std::borrow::Cow;
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

    /// What this slice contributes to the sums that the rule needs, in the order of the vector: the
    /// contributions of all slices, one after the other, are the same however many slices there are.
    /// Empty if [`Optimizer::needs_sums`] is false. `rate_factor` and `sums` are not read.
    ///
    /// # Errors
    /// As [`Update::run`], and [`Error::Setting`] for a slice that cuts a cell of the [`GRID`].
    pub fn partial_sums(&self) -> Result<Vec<f64>, Error> {
        let Some((reduction, layout)) = self.prepare_sums()? else { return Ok(Vec::new()) };
        let mut scratch = self.scratch(&reduction);
        let cells = (0..self.slice.len()).step_by(GRID);
        Ok(cells.flat_map(|at| self.sums_of_cell(&reduction, &layout, at, &mut scratch)).collect())
    }

    /// [`Update::partial_sums`] on the threads of `pool`.
    ///
    /// # Errors
    /// As [`Update::partial_sums`].
    pub fn partial_sums_on(&self, pool: &ThreadPool) -> Result<Vec<f64>, Error> {
        let Some((reduction, layout)) = self.prepare_sums()? else { return Ok(Vec::new()) };
        let cells = (0..self.slice.len()).into_par_iter().step_by(GRID);
        let sums: Vec<Vec<f64>> = pool.install(|| {
            cells
                .map_init(
                    || self.scratch(&reduction),
                    |scratch, at| self.sums_of_cell(&reduction, &layout, at, scratch),
                )
                .collect()
        });
        Ok(sums.concat())
    }

    /// What sums need; nothing if there are none.
    fn prepare_sums(&self) -> Result<Option<(Reduction, Layout<'_>)>, Error> {
        if !self.optimizer.needs_sums() {
            return Ok(None);
        }
        let reduction = self.check_inputs()?;
        let end = self.slice.end.is_multiple_of(GRID) || self.slice.end == self.parameters.len();
        let whole = self.slice.start.is_multiple_of(GRID) && end;
        let got = format!("{:?}", self.slice);
        check(whole, "update", "slice", "one that Optimizer::slice gave", got)?;
        Ok(Some((reduction, Layout::new(self.optimizer, self.parameters))))
    }

    /// The sums of the cell that begins at `begin` of the slice.
    fn sums_of_cell(
        &self,
        reduction: &Reduction,
        layout: &Layout<'_>,
        begin: usize,
        scratch: &mut [f32],
    ) -> Vec<f64> {
        let end = (begin + GRID).min(self.slice.len());
        let old = self.old(reduction, begin..end, scratch);
        let first = self.slice.start + begin;
        let mut sums = Vec::new();
        for piece in layout.pieces(&(first..self.slice.start + end)) {
            let at = piece.at.start - first..piece.at.end - first;
            let group = &layout.groups[piece.group];
            let clipped = clip(&old.gradient[at.clone()], group.clip_value(), 1.0);
            let old = old.part(at).with_slots(group.rule.slots());
            let old = Old { gradient: &clipped, rank: piece.rank, ..old };
            if layout.clips() {
                sums.push(dot(old.gradient, old.gradient));
            }
            let begin = sums.len();
            sums.resize(begin + group.rule.sums().count(), 0.0);
            group.rule.partial_sums(&old, &mut sums[begin..]);
        }
        sums
    }

    /// The chunk `at` of the slice before the iteration; its gradient is the sum over all shards.
    fn old<'b>(
        &'b self,
        reduction: &Reduction,
        at: Range<usize>,
        scratch: &'b mut [f32],
    ) -> Old<'b> {
        let slots = self.state_old.chunks(self.slice.len().max(1));
        Old {
            iteration: self.iteration,
            rank: 0,
            gradient: reduction.sum(self.gradients, at.clone(), scratch),
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

/// What all chunks of an update share.
struct Prepared<'a> {
    reduction: Reduction,
    groups: Vec<Group<'a>>,
    /// The learning rate of each group.
    rates: Vec<f64>,
    totals: Totals,
    ema_decay: Option<f64>,
    /// Relative to the slice's begin.
    runs: Vec<Run>,
}

impl Prepared<'_> {
    fn update(&self, act: Act, mut old: Old<'_>, weights: &mut [f32], mut state: Vec<&mut [f32]>) {
        let average = self.ema_decay.and_then(|decay| {
            let before = old.state.pop()?;
            let before = if old.iteration == 0 { old.weights } else { before };
            Some((state.pop()?, before, decay))
        });
        match act {
            Act::Optimize { group: number, total, rank } => {
                let (group, clip_norm) = (&self.groups[number], self.totals.clip);
                let slots = group.rule.slots();
                // Other groups have more slots than this one.
                keep(&mut state.split_off(slots), &old.state[slots..]);
                let gradient = clip(old.gradient, group.clip_value(), clip_norm);
                let old = Old { gradient: &gradient, rank, ..old.with_slots(slots) };
                let totals = &self.totals.each[total];
                let weights = &mut *weights;
                let mut chunk = Chunk { old, weights, state, totals, clip_norm };
                group.rule.step(self.rates[number], &mut chunk);
            }
            Act::Replace => {
                weights.copy_from_slice(old.gradient);
                keep(&mut state, &old.state);
            }
            Act::Keep => {
                weights.copy_from_slice(old.weights);
                keep(&mut state, &old.state);
            }
        }
        if let Some((average, before, decay)) = average {
            match act {
                Act::Optimize { .. } => follow(average, before, weights, decay),
                Act::Replace | Act::Keep => average.copy_from_slice(weights),
            }
        }
    }
}

/// The outputs of one chunk.
struct Part<'a> {
    begin: usize,
    weights: &'a mut [f32],
    state: Vec<&'a mut [f32]>,
}

/// `average ← before - (1 - decay)·(before - weights)`.
fn follow(average: &mut [f32], before: &[f32], weights: &[f32], decay: f64) {
    let rest = (1.0 - decay) as f32;
    for ((average, before), weight) in average.iter_mut().zip(before).zip(weights) {
        *average = before - rest * (before - weight);
    }
}

/// Copies slots.
fn keep(new: &mut [&mut [f32]], old: &[&[f32]]) {
    for (new, old) in new.iter_mut().zip(old) {
        new.copy_from_slice(old);
    }
}

/// The gradient with its elements within `[-bound, bound]`, times `factor`.
fn clip(gradient: &[f32], bound: Option<f32>, factor: f64) -> Cow<'_, [f32]> {
    let factor = factor as f32;
    match bound {
        None if factor == 1.0 => gradient.into(),
        None => gradient.iter().map(|g| g * factor).collect(),
        Some(bound) => gradient.iter().map(|g| g.clamp(-bound, bound) * factor).collect(),
    }
}

#[cfg(test)]
mod tests;
