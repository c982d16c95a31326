//! A whole training iteration in one process: worker, then update.

use crate::{Case, Error, detrand};
use layers::Model;
use nn::Precision;
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};
use train::optim::{Method, Sgd};
use train::{Dataset, Loss, Optimizer, Step, Update, Worker};

/// From this many weights on the update runs on the replicas' threads too.
const PARALLEL_UPDATE: usize = 1 << 18;

/// A training on one fixed batch.
pub struct Training {
    model: Arc<Model>,
    worker: Worker,
    optimizer: Optimizer,
    /// Weights before and after the next iteration.
    weights: [Arc<Buffer>; 2],
    state: [Vec<f32>; 2],
    shards: usize,
    count: usize,
    iteration: u64,
}

impl Training {
    /// A training with one shard per thread; a row is its features and its class.
    ///
    /// # Errors
    /// [`Error::Train`] if the rows are not those of the model, [`Error::Tensor`] without memory.
    pub fn new(
        model: Arc<Model>,
        rows: &[Vec<f32>],
        weights: &[f32],
        threads: usize,
        optimizer: Optimizer,
    ) -> Result<Self, Error> {
        let loss = Loss::CrossEntropy;
        let record = loss.record(&model)?;
        let shards = threads.min(rows.len());
        let mut worker = Worker::new(model.clone(), loss, threads, 0)?;
        for shard in 0..shards {
            let mut data = Dataset::new(record);
            for row in &rows[train::slices::slice(shard, shards, rows.len())] {
                let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
                data.append(&bytes)?;
            }
            data.seal();
            worker.set_shard(shard, Arc::new(data))?;
        }
        let state = vec![0.0; optimizer.slots() * weights.len()];
        Ok(Self {
            model,
            worker,
            optimizer,
            weights: [Arc::new(Buffer::from_f32(weights)?), Arc::new(Buffer::from_f32(weights)?)],
            state: [state.clone(), state],
            shards,
            count: rows.len(),
            iteration: 0,
        })
    }

    /// A training of initial weights on the batch of the peers' benches, by SGD with momentum.
    ///
    /// # Errors
    /// As [`Training::new`], and [`Error::Layers`] if the definition is wrong.
    pub fn synthetic(case: Case, batch: usize, threads: usize) -> Result<Self, Error> {
        let model = Arc::new(case.model()?);
        let inputs = detrand::inputs(case, &model, batch);
        let classes = model.output_shape().len() as u64;
        let rows = (0..batch).zip(detrand::integers(1099, batch, classes)).map(|(row, label)| {
            let part = |input: &Vec<f32>| {
                let width = input.len() / batch;
                input[row * width..(row + 1) * width].to_vec()
            };
            inputs.iter().flat_map(part).chain([label as f32]).collect()
        });
        let rows: Vec<Vec<f32>> = rows.collect();
        let sgd = Sgd { learning_rate: 1e-4, momentum: 0.9, ..Sgd::default() };
        let weights = model.initial_weights(0);
        Self::new(model, &rows, &weights, threads, Method::Sgd(sgd).into())
    }

    /// Computes products in this precision; in f32 at first.
    ///
    /// # Errors
    /// [`Error::Train`] if there are no instructions for it here.
    pub fn set_precision(&mut self, precision: Precision) -> Result<(), Error> {
        Ok(self.worker.set_precision(precision)?)
    }

    /// Runs one iteration and returns the mean loss before its update.
    ///
    /// # Errors
    /// [`Error::Train`] if a kernel fails.
    pub fn step(&mut self) -> Result<f64, Error> {
        let step = Step {
            shards: self.shards,
            iteration: self.iteration,
            epoch: 0,
            index: 0,
            of: 1,
            count: self.count,
            rate_factor: 1.0,
        };
        let losses = self.worker.forward_backward(&self.weights[0], &step)?;
        self.update()?;
        self.iteration += 1;
        Ok(losses.iter().map(|loss| loss.loss_sum).sum::<f64>() / self.count as f64)
    }

    /// The gradient of the mean loss in the last iteration, a flat vector like the weights.
    pub fn gradient(&self) -> Option<&[f32]> {
        let root = self.worker.roots().first()?;
        self.worker.gradient(*root).map(|gradient| gradient.f32())
    }

    fn update(&mut self) -> Result<(), Error> {
        let roots = self.worker.roots();
        let gradients: Vec<&[f32]> = roots
            .iter()
            .filter_map(|root| self.worker.gradient(*root))
            .map(|gradient| gradient.f32())
            .collect();
        let [old, new] = &self.weights;
        let [state_old, state_new] = &mut self.state;
        let count = self.model.parameters().len();
        let update = Update {
            optimizer: &self.optimizer,
            parameters: self.model.parameters(),
            slice: 0..count,
            iteration: self.iteration,
            age: self.iteration,
            rate_factor: 1.0,
            sums: &[],
            shards: self.shards,
            roots,
            gradients: &gradients,
            rounding: None,
            weights_old: old.f32(),
            state_old,
        };
        let mut new = SharedSlice::new(new, 0, new.bytes())?;
        if count < PARALLEL_UPDATE {
            update.run(new.f32_mut(), state_new)?;
        } else {
            update.run_on(self.worker.pool(), new.f32_mut(), state_new)?;
        }
        self.weights.swap(0, 1);
        self.state.swap(0, 1);
        Ok(())
    }
}
