//! The part of a training that one executor does.

use crate::batches::batches;
use crate::compression::{Compression, Wire};
use crate::local::{LocalSteps, Rule};
use crate::plans::{PlanKey, Plans};
use crate::replica::{BatchResult, Layout, Replica};
use crate::shard::{Pass, Shard};
use crate::tree::{self, Root};
use crate::{Dataset, Error, Evaluation, Loss, Record, ShardLoss, Step};
use layers::Model;
use nn::{PlanOptions, Precision, RunContext};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

/// Floats that one thread adds at a time when gradients are summed.
const CHUNK: usize = 1 << 16;

/// Hosts some shards of a training and runs their part of each iteration.
///
/// It has `threads` single-threaded replicas of the model on a thread pool of its own; they share
/// the weights. What comes out depends on the shards and the [`Step`] alone, not on the number of
/// threads nor on which worker hosts which shard.
pub struct Worker {
    model: Arc<Model>,
    seed: u64,
    record: Record,
    layout: Layout,
    pool: ThreadPool,
    plans: Plans,
    replicas: Vec<Replica>,
    shards: BTreeMap<usize, Shard>,
    roots: Vec<Root>,
    micro_batch: Option<usize>,
    wire: Wire,
    local: Option<LocalSteps>,
}

impl Worker {
    /// A worker without shards.
    ///
    /// # Errors
    /// [`Error::Output`] when the loss cannot train the model, [`Error::Setting`] for 0 threads,
    /// [`Error::Threads`] when they cannot be started.
    pub fn new(model: Arc<Model>, loss: Loss, threads: usize, seed: u64) -> Result<Self, Error> {
        crate::error::check(threads > 0, "worker", "threads", "1 or more", threads)?;
        let record = loss.record(&model)?;
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|thread| format!("firesteel-replica-{thread}"))
            .start_handler(|_| onednn::enter())
            .build()
            .map_err(|error| Error::Threads(error.to_string()))?;
        Ok(Worker {
            wire: Wire::of(None, model.parameters()),
            layout: Layout::new(&model, loss, &record),
            plans: Plans::new(model.clone(), loss),
            replicas: (0..threads).map(|_| Replica::new()).collect(),
            shards: BTreeMap::new(),
            roots: Vec::new(),
            model,
            seed,
            record,
            pool,
            micro_batch: None,
            local: None,
        })
    }

    /// Runs at most so many rows of a shard at a time and adds their gradients up, or all of them if
    /// `None`, as it is at first.
    ///
    /// Batches then need the memory of a part, and one more gradient per thread. Results depend on it:
    /// batch normalization normalizes over a part, and its running statistics are those of the parts,
    /// weighted by their rows. Parts are of nearly equal size.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 rows.
    pub fn set_micro_batch(&mut self, rows: Option<usize>) -> Result<(), Error> {
        let expected = "1 row or more, or none for whole batches";
        crate::error::check(rows != Some(0), "worker", "micro_batch", expected, 0)?;
        self.micro_batch = rows;
        Ok(())
    }

    /// Rounds the gradients of all blocks of the tree, as [`Compression`] says; not at first.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.wire = Wire::of(compression, self.model.parameters());
    }

    /// Lets every shard take steps by itself in each iteration, with weights of its own, and brings
    /// back what they make of the weights in place of a gradient; or not, as it is at first.
    ///
    /// A shard's rows of the iteration are cut into as many nearly equal parts as there are steps. Added
    /// along the tree and subtracted from the weights, the results give the mean of the shards' weights,
    /// weighted by their rows. Each thread needs memory for two more weight vectors, two of the
    /// optimizer's state, and the weights in the kernels' layouts.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 steps.
    pub fn set_local_steps(&mut self, local: Option<LocalSteps>) -> Result<(), Error> {
        let steps = local.as_ref().map_or(1, |local| local.steps);
        crate::error::check(steps > 0, "worker", "local_steps", "1 or more", steps)?;
        self.local = local;
        // What they have is bound to the weights that were to be read so far.
        self.plans.clear();
        self.replicas.iter_mut().for_each(|replica| *replica = Replica::new());
        Ok(())
    }

    /// Computes products in this precision; in f32 at first. Weights, gradients and losses are f32 in
    /// any case.
    ///
    /// # Errors
    /// [`nn::Error::Precision`] if there are no instructions for it here.
    pub fn set_precision(&mut self, precision: Precision) -> Result<(), Error> {
        let options = PlanOptions { precision, ..PlanOptions::default() };
        options.check()?;
        self.plans.set_options(options);
        self.replicas.iter_mut().for_each(|replica| *replica = Replica::new());
        Ok(())
    }

    /// Hosts shard `shard`; its data may be replaced.
    ///
    /// # Errors
    /// [`Error::Sealed`] for a dataset that is not sealed, [`Error::Record`] for one whose rows are
    /// not those of the model and loss, [`Error::Tensor`] when there is no memory for its gradient.
    pub fn set_shard(&mut self, shard: usize, data: Arc<Dataset>) -> Result<(), Error> {
        self.check_data(|| format!("shard {shard}"), &data)?;
        let gradient = match self.gradient_of(shard) {
            Some(gradient) => gradient.clone(),
            None => Arc::new(Buffer::new(self.model.parameters().len() * size_of::<f32>())?),
        };
        self.shards.insert(shard, Shard::new(shard, data, gradient));
        self.roots.clear();
        Ok(())
    }

    /// Stops hosting shard `shard` and frees its gradient; false if it was not hosted.
    pub fn remove_shard(&mut self, shard: usize) -> bool {
        self.roots.clear();
        self.shards.remove(&shard).is_some()
    }

    /// The numbers of the hosted shards, ascending.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = usize> {
        self.shards.keys().copied()
    }

    /// The threads of the replicas, for other work of the same task such as
    /// [`Update::run_on`](crate::Update::run_on).
    pub fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// Runs the hosted shards' part of an iteration forward and backward and sums their gradients to
    /// [`Worker::roots`]. One result per hosted shard, in ascending order.
    ///
    /// The gradient of each sample's loss is divided by `step.count`, so those of all shards add up
    /// to the gradient of the batch's mean loss. In the ranges of running statistics stands the new
    /// value times the shard's share of the samples.
    ///
    /// # Errors
    /// [`Error::Shard`] for a hosted shard beyond `step.shards`, [`Error::Length`] for weights of
    /// another length, [`Error::Setting`] for a step that cannot be, [`Error::Worker`] without
    /// shards, and errors of plans and kernels.
    pub fn forward_backward(
        &mut self,
        weights: &Arc<Buffer>,
        step: &Step,
    ) -> Result<Vec<ShardLoss>, Error> {
        self.roots.clear();
        self.check_step(weights, step)?;
        let micro_batch = self.micro_batch;
        let steps = self.local.as_ref().map_or(1, |local| local.steps);
        let shards = self.shards.values();
        let sizes = shards.flat_map(|shard| shard.sizes(step, steps, micro_batch));
        let keys = sizes.map(|batch| PlanKey { training: true, batch }).collect();
        match self.local.clone() {
            None => self.begin(keys, weights)?,
            Some(local) => self.begin_alone(keys, &local)?,
        }

        let mut parts: Vec<Vec<&mut Shard>> = Vec::new();
        parts.resize_with(self.replicas.len(), Vec::new);
        for (position, shard) in self.shards.values_mut().enumerate() {
            parts[position % self.replicas.len()].push(shard);
        }
        let (layout, statistics, local) = (&self.layout, self.wire.statistics(), &self.local);
        let rounding = self.wire.rounding(self.seed, step.iteration);
        let pass = Pass { step, seed: self.seed, layout, statistics, micro_batch, rounding };
        let rule = local.as_ref().map(|local| Rule {
            optimizer: &local.optimizer,
            parameters: self.model.parameters(),
            iteration: step.iteration,
            rate_factor: step.rate_factor,
        });
        let replicas = &mut self.replicas;
        let results: Vec<Vec<ShardLoss>> = self.pool.install(|| {
            let work = replicas.par_iter_mut().zip(parts);
            work.map(|(replica, part)| {
                let run = |shard: &mut Shard| match &rule {
                    Some(rule) => shard.run_alone(replica, &pass, weights, steps, rule),
                    None => shard.run(replica, &pass),
                };
                part.into_iter().map(run).collect()
            })
            .collect::<Result<_, Error>>()
        })?;
        let mut losses: Vec<ShardLoss> = results.into_iter().flatten().collect();
        losses.sort_by_key(|loss| loss.shard);
        self.reduce(step)?;
        Ok(losses)
    }

    /// The roots of the hosted shards in the tree over all shards, after an iteration.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The flat gradient vector of one of [`Worker::roots`]; the next iteration overwrites it.
    pub fn gradient(&self, root: Root) -> Option<&Arc<Buffer>> {
        if self.roots.contains(&root) { self.gradient_of(root.first) } else { None }
    }

    /// Evaluates all rows of `data` in batches of at most `batch`.
    ///
    /// # Errors
    /// As [`Worker::set_shard`] for the datasets, [`Error::Length`] for weights of another length,
    /// [`Error::Setting`] for a batch of 0, and errors of plans and kernels.
    pub fn evaluate(
        &mut self,
        weights: &Arc<Buffer>,
        data: &[Arc<Dataset>],
        batch: usize,
    ) -> Result<Evaluation, Error> {
        crate::error::check(batch > 0, "evaluate", "batch", "1 or more", batch)?;
        self.check_weights(weights)?;
        let mut jobs = Vec::new();
        for (number, dataset) in data.iter().enumerate() {
            self.check_data(|| format!("validation data {number}"), dataset)?;
            jobs.extend(batches(dataset.rows(), batch).map(|rows| (dataset, rows)));
        }
        let sizes = jobs.iter().map(|(_, rows)| PlanKey { training: false, batch: rows.len() });
        self.begin(sizes.collect(), weights)?;

        let stride = self.replicas.len();
        let (layout, replicas) = (&self.layout, &mut self.replicas);
        let run = |replica: &mut Replica, number: usize| {
            let (dataset, rows) = &jobs[number];
            let rows: Vec<&[f32]> = rows.clone().map(|row| dataset.row(row)).collect();
            replica.run(layout, &rows, 0.0, RunContext::default(), None)
        };
        let results: Vec<Vec<BatchResult>> = self.pool.install(|| {
            let work = replicas.par_iter_mut().enumerate();
            work.map(|(first, replica)| {
                let own = (first..jobs.len()).step_by(stride);
                own.map(|number| run(replica, number)).collect::<Result<_, Error>>()
            })
            .collect::<Result<_, Error>>()
        })?;
        // Losses are added in the order of the batches, whichever replica ran them.
        let mut evaluation = Evaluation::default();
        for (number, (_, rows)) in jobs.iter().enumerate() {
            let result = results[number % stride][number / stride];
            evaluation.count += rows.len() as u64;
            evaluation.loss_sum += result.loss_sum;
            evaluation.correct += result.correct;
        }
        Ok(evaluation)
    }

    /// Makes plans, weights and workspaces ready for these batch sizes.
    fn begin(&mut self, keys: BTreeSet<PlanKey>, weights: &Arc<Buffer>) -> Result<(), Error> {
        let (plans, replicas) = (&mut self.plans, &mut self.replicas);
        self.pool.install(|| {
            plans.begin(keys.iter().copied(), weights)?;
            replicas.iter_mut().try_for_each(|replica| replica.ready(&keys, plans))
        })
    }

    /// Makes plans, memory for weights of the replicas' own, and workspaces ready.
    fn begin_alone(&mut self, keys: BTreeSet<PlanKey>, local: &LocalSteps) -> Result<(), Error> {
        let (plans, replicas, len) =
            (&mut self.plans, &mut self.replicas, self.model.parameters().len());
        self.pool.install(|| {
            plans.compile_new(keys.iter().copied())?;
            let ready =
                |replica: &mut Replica| replica.ready_alone(&keys, plans, &local.optimizer, len);
            replicas.iter_mut().try_for_each(ready)
        })
    }

    /// Sums the hosted shards' gradients in place to those of their roots.
    fn reduce(&mut self, step: &Step) -> Result<(), Error> {
        let roots = tree::roots(self.shards.keys().copied(), step.shards);
        let rounding = self.wire.rounding(self.seed, step.iteration);
        self.pool.install(|| {
            for (block, right) in roots.iter().flat_map(|&r| tree::additions(r, step.shards)) {
                let halves = (self.gradient_of(block.first), self.gradient_of(right));
                if let (Some(into), Some(from)) = halves {
                    let mut into = SharedSlice::new(into, 0, into.bytes())?;
                    let parts = into.f32_mut().par_chunks_mut(CHUNK).enumerate();
                    parts.zip(from.f32().par_chunks(CHUNK)).for_each(|((n, into), from)| {
                        tree::add(into, from);
                        if let Some(rounding) = &rounding {
                            rounding.round(block, n * CHUNK, into);
                        }
                    });
                }
            }
            Ok::<(), Error>(())
        })?;
        self.roots = roots;
        Ok(())
    }

    fn gradient_of(&self, shard: usize) -> Option<&Arc<Buffer>> {
        self.shards.get(&shard).map(Shard::gradient)
    }

    fn check_data(&self, who: impl Fn() -> String, data: &Dataset) -> Result<(), Error> {
        if !data.is_sealed() {
            return Err(Error::Sealed { expected: "sealed", got: "open" });
        }
        if *data.record() != self.record {
            let (expected, got) = (self.record.to_string(), data.record().to_string());
            return Err(Error::Record { who: who(), expected, got });
        }
        Ok(())
    }

    fn check_weights(&self, weights: &Buffer) -> Result<(), Error> {
        let remedy = "Pass the model's whole flat vector of weights";
        let (expected, got) = (self.model.parameters().len(), weights.f32().len());
        crate::error::check_length("weights", expected, got, remedy)
    }

    fn check_step(&self, weights: &Buffer, step: &Step) -> Result<(), Error> {
        self.check_weights(weights)?;
        let index = format!("{} of {}", step.index, step.of);
        crate::error::check(step.index < step.of, "step", "index", "below `of`", index)?;
        crate::error::check(step.count > 0, "step", "count", "1 or more", step.count)?;
        match self.shards.last_key_value() {
            None => Err(Error::Worker {
                expected: "at least one shard",
                got: "none".into(),
                remedy: "Call set_shard first",
            }),
            Some((&shard, _)) if shard >= step.shards => {
                Err(Error::Shard { shard, shards: step.shards })
            }
            Some(_) => Ok(()),
        }
    }
}
