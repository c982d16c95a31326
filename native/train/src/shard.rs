//! One hosted shard of a training and its part of an iteration.

use crate::permutation::{permutation, rows_of_iteration};
use crate::replica::{Layout, Replica};
use crate::{Dataset, Error, ShardLoss, Step};
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

    /// How many rows the shard has in an iteration.
    pub fn count(&self, step: &Step) -> usize {
        rows_of_iteration(step.index, step.of, self.data.rows()).len()
    }

    /// Runs the shard's part of the iteration: its gradient and the sum of its losses.
    pub fn run(&mut self, replica: &mut Replica, pass: &Pass<'_>) -> Result<ShardLoss, Error> {
        let Pass { step, seed, layout, statistics } = *pass;
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
        let rows: Vec<&[f32]> = order[at].iter().map(|&row| self.data.row(row as usize)).collect();
        let scale = 1.0 / step.count as f32;
        let context = RunContext { seed, step: step.iteration, replica: self.number as u64 };
        result.loss_sum =
            replica.run(layout, &rows, scale, context, Some(&self.gradient))?.loss_sum;
        let share = (rows.len() as f64 / step.count as f64) as f32;
        for range in statistics {
            gradient.f32_mut()[range.clone()].iter_mut().for_each(|value| *value *= share);
        }
        self.order = Some((step.epoch, order));
        Ok(result)
    }
}
