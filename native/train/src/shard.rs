//! One hosted shard of a training and its part of an iteration.

use crate::batches::parts;
use crate::compression::Rounding;
use crate::permutation::{permutation, rows_of_iteration};
use crate::replica::{Layout, Replica};
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

    /// The sizes of the parts in which the shard runs its rows of an iteration.
    pub fn sizes(&self, step: &Step, micro_batch: Option<usize>) -> impl Iterator<Item = usize> {
        let rows = rows_of_iteration(step.index, step.of, self.data.rows()).len();
        parts(rows, micro_batch).map(|part| part.len())
    }

    /// Runs the shard's part of the iteration: its gradient and the sum of its losses.
    ///
    /// With micro-batches the gradients of their parts are added in order; running statistics are
    /// those of the parts, weighted by their rows.
    pub fn run(&mut self, replica: &mut Replica, pass: &Pass<'_>) -> Result<ShardLoss, Error> {
        let Pass { step, seed, layout, statistics, micro_batch, rounding } = *pass;
        let total = self.data.rows();
        let at = rows_of_iteration(step.index, step.of, total);
        let mut result = ShardLoss { shard: self.number, loss_sum: 0.0, count: at.len() };
        let mut gradient = SharedSlice::new(&self.gradient, 0, self.gradient.bytes())?;
        if at.is_empty() {
            gradient.f32_mut().fill(0.0);
            return Ok(result);
        }
        let order = match self.order.take() {
            Some((epoch, order)) if epoch == step.epoch => order,
            _ => permutation(seed, step.epoch, self.number, total),
        };
        let scale = 1.0 / step.count as f32;
        for (number, part) in parts(at.len(), micro_batch).enumerate() {
            let rows = &order[at.clone()][part];
            let rows: Vec<&[f32]> = rows.iter().map(|&row| self.data.row(row as usize)).collect();
            let target = match number {
                0 => self.gradient.clone(),
                _ => replica.spare(self.gradient.bytes())?,
            };
            // Parts draw random numbers of their own.
            let stream = self.number as u64 | (number as u64) << 32;
            let context = RunContext { seed, step: step.iteration, replica: stream };
            result.loss_sum += replica.run(layout, &rows, scale, context, Some(&target))?.loss_sum;
            let share = (rows.len() as f64 / step.count as f64) as f32;
            let mut values = SharedSlice::new(&target, 0, target.bytes())?;
            for range in statistics {
                values.f32_mut()[range.clone()].iter_mut().for_each(|value| *value *= share);
            }
            if number > 0 {
                tree::add(gradient.f32_mut(), target.f32());
            }
        }
        if let Some(rounding) = rounding {
            rounding.round(Root { first: self.number, level: 0 }, 0, gradient.f32_mut());
        }
        self.order = Some((step.epoch, order));
        Ok(result)
    }
}
