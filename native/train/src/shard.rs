//! One hosted shard of a training and its part of an iteration.

use crate::batches::parts;
use crate::compression::Rounding;
use crate::local::Rule;
use crate::permutation::{permutation, rows_of_iteration};
use crate::replica::{Layout, Replica};
use crate::slices::slice;
use crate::tree::Root;
use crate::{Dataset, Error, ShardLoss, Step, tree};
use nn::RunContext;
use std::ops::Range;
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

/// What all shards of an iteration have in common.
pub(crate) struct Pass<'a> {
    pub step: &'a Step,
    pub seed: u64,
    pub layout: &'a Layout,
    /// Ranges of the flat vector that hold running statistics.
    pub statistics: &'a [Range<usize>],
    /// The most rows that run at a time.
    pub micro_batch: Option<usize>,
    /// How the gradient is rounded, if it is.
    pub rounding: Option<Rounding<'a>>,
}

/// A hosted shard.
pub(crate) struct Shard {
    number: usize,
    data: Arc<Dataset>,
    /// An epoch and the order of the rows in it.
    order: Option<(u64, Vec<u32>)>,
    /// Flat gradient vector; after an iteration that of the root which begins at this shard.
    gradient: Arc<Buffer>,
}

impl Shard {
    /// Shard `number`; `gradient` has the length of the weights and may hold anything.
    pub fn new(number: usize, data: Arc<Dataset>, gradient: Arc<Buffer>) -> Self {
        Shard { number, data, order: None, gradient }
    }

    pub fn gradient(&self) -> &Arc<Buffer> {
        &self.gradient
    }

    /// The sizes of the parts in which the shard runs its rows of an iteration with `steps` steps of
    /// its own.
    pub fn sizes(
        &self,
        step: &Step,
        steps: usize,
        micro_batch: Option<usize>,
    ) -> impl Iterator<Item = usize> {
        let rows = rows_of_iteration(step.index, step.of, self.data.rows()).len();
        cut(steps, rows).flat_map(move |at| parts(at.len(), micro_batch)).map(|part| part.len())
    }

    /// Runs the shard's part of the iteration: its gradient and the sum of its losses.
    pub fn run(&mut self, replica: &mut Replica, pass: &Pass<'_>) -> Result<ShardLoss, Error> {
        self.with_rows(pass, |shard, rows| shard.learn(replica, pass, rows, pass.step.count, 0))
    }

    /// Takes steps with weights of the replica's own, from `weights` on. What stands for the gradient
    /// is the way back, times the shard's share of the samples: from the mean of the shards' weights to
    /// `weights`, if added up. In the ranges of running statistics stand these times the share.
    pub fn run_alone(
        &mut self,
        replica: &mut Replica,
        pass: &Pass<'_>,
        weights: &Buffer,
        steps: usize,
        rule: &Rule<'_>,
    ) -> Result<ShardLoss, Error> {
        self.with_rows(pass, |shard, rows| {
            let mut own = replica.own.take().ok_or_else(|| Error::missing_plan(rows.len()))?;
            own.begin(weights)?;
            let (mut loss_sum, mut first) = (0.0, 0);
            for (age, at) in cut(steps, rows.len()).enumerate() {
                own.prepare()?;
                let rows = &rows[at];
                loss_sum += shard.learn(replica, pass, rows, rows.len(), first)?;
                first += parts(rows.len(), pass.micro_batch).count();
                own.step(rule, age as u64, &shard.gradient)?;
            }
            let share = (rows.len() as f64 / pass.step.count as f64) as f32;
            let mut back = SharedSlice::new(&shard.gradient, 0, shard.gradient.bytes())?;
            let both = weights.f32().iter().zip(own.weights());
            for (back, (weight, own)) in back.f32_mut().iter_mut().zip(both) {
                *back = (weight - own) * share;
            }
            for range in pass.statistics {
                let both =
                    back.f32_mut()[range.clone()].iter_mut().zip(&own.weights()[range.clone()]);
                both.for_each(|(value, own)| *value = own * share);
            }
            replica.own = Some(own);
            Ok(loss_sum)
        })
    }

    /// Calls `learn` with the rows of the iteration, if there are any, and rounds the gradient.
    fn with_rows(
        &mut self,
        pass: &Pass<'_>,
        learn: impl FnOnce(&Shard, &[u32]) -> Result<f64, Error>,
    ) -> Result<ShardLoss, Error> {
        let total = self.data.rows();
        let at = rows_of_iteration(pass.step.index, pass.step.of, total);
        let mut result = ShardLoss { shard: self.number, loss_sum: 0.0, count: at.len() };
        let mut gradient = SharedSlice::new(&self.gradient, 0, self.gradient.bytes())?;
        if at.is_empty() {
            gradient.f32_mut().fill(0.0);
            return Ok(result);
        }
        let epoch = pass.step.epoch;
        let order = match self.order.take() {
            Some((known, order)) if known == epoch => order,
            _ => permutation(pass.seed, epoch, self.number, total),
        };
        result.loss_sum = learn(self, &order[at])?;
        if let Some(rounding) = &pass.rounding {
            rounding.round(Root { first: self.number, level: 0 }, 0, gradient.f32_mut());
        }
        self.order = Some((epoch, order));
        Ok(result)
    }

    /// Runs rows forward and backward; the sum of their losses.
    ///
    /// The gradient is that of their losses divided by `count`. With micro-batches the gradients of
    /// their parts, numbered from `first` on, are added in order; running statistics are those of the
    /// parts, weighted by their rows.
    fn learn(
        &self,
        replica: &mut Replica,
        pass: &Pass<'_>,
        rows: &[u32],
        count: usize,
        first: usize,
    ) -> Result<f64, Error> {
        let Pass { step, seed, layout, statistics, micro_batch, .. } = *pass;
        let mut gradient = SharedSlice::new(&self.gradient, 0, self.gradient.bytes())?;
        let scale = 1.0 / count as f32;
        let mut loss_sum = 0.0;
        for (number, part) in parts(rows.len(), micro_batch).enumerate() {
            let rows: Vec<&[f32]> =
                rows[part].iter().map(|&row| self.data.row(row as usize)).collect();
            let target = match number {
                0 => self.gradient.clone(),
                _ => replica.spare(self.gradient.bytes())?,
            };
            // Parts draw random numbers of their own.
            let stream = self.number as u64 | ((first + number) as u64) << 32;
            let context = RunContext { seed, step: step.iteration, replica: stream };
            loss_sum += replica.run(layout, &rows, scale, context, Some(&target))?.loss_sum;
            let share = (rows.len() as f64 / count as f64) as f32;
            let mut values = SharedSlice::new(&target, 0, target.bytes())?;
            for range in statistics {
                values.f32_mut()[range.clone()].iter_mut().for_each(|value| *value *= share);
            }
            if number > 0 {
                tree::add(gradient.f32_mut(), target.f32());
            }
        }
        Ok(loss_sum)
    }
}

/// Cuts `0..rows` into nearly equal parts for so many steps; no part is empty.
fn cut(steps: usize, rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..steps).map(move |n| slice(n, steps, rows)).filter(|part| !part.is_empty())
}
