//! Models, data and a driver of whole trainings, as small as they can be.

use layers::Model;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use tensor::Buffer;
use tensor::random::{Philox, Purpose};
use train::slices::slice;
use train::tree::Root;
use train::{Compression, Dataset, Loss, Optimizer, Step, Update, Wire, Worker};

pub const SEED: u64 = 42;

/// Loads oneDNN once if it is there; the plain kernels serve otherwise.
fn load_engine() {
    static LOAD: Once = Once::new();
    LOAD.call_once(|| {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/native/linux-x86_64");
        let path = std::env::var_os("FIRESTEEL_ONEDNN")
            .map_or_else(|| PathBuf::from(built).join("libdnnl.so.3"), PathBuf::from);
        if path.exists() {
            onednn::load(&path).expect("oneDNN is there and can be loaded");
        }
    });
}

pub fn model(json: &str) -> Arc<Model> {
    load_engine();
    Arc::new(Model::from_json(json).expect("the definition of a test model is right"))
}

/// Convolution, batch normalization, pooling, dropout, dense: everything that depends on the
/// batch, the shard or the iteration. Images of 1×6×6, 3 classes.
pub fn conv_net() -> Arc<Model> {
    model(
        r#"{"format": 1, "name": "small", "inputs": [{"name": "image", "shape": [1, 6, 6]}],
        "layers": [
          {"class": "Conv2D", "name": "conv", "inputs": ["image"],
           "config": {"filters": 4, "kernel_size": [3, 3], "activation": "relu"}},
          {"class": "BatchNormalization", "name": "norm", "inputs": ["conv"], "config": {}},
          {"class": "MaxPooling2D", "name": "pool", "inputs": ["norm"], "config": {}},
          {"class": "Flatten", "name": "flat", "inputs": ["pool"], "config": {}},
          {"class": "Dropout", "name": "drop", "inputs": ["flat"], "config": {"rate": 0.25}},
          {"class": "Dense", "name": "dense", "inputs": ["drop"], "config": {"units": 3}}],
        "outputs": ["dense"]}"#,
    )
}

/// `dense(tanh(dense(x)))` of 5 numbers to 3 outputs.
pub fn dense_net() -> Arc<Model> {
    model(
        r#"{"format": 1, "name": "dense", "inputs": [{"name": "x", "shape": [5]}],
        "layers": [
          {"class": "Dense", "name": "one", "inputs": ["x"],
           "config": {"units": 4, "activation": "tanh"}},
          {"class": "Dense", "name": "two", "inputs": ["one"], "config": {"units": 3}}],
        "outputs": ["two"]}"#,
    )
}

/// `rows` rows of normal numbers; the class is the largest of the first three features.
pub fn rows(features: usize, rows: usize) -> Vec<Vec<f32>> {
    let numbers = Philox::new(7, Purpose::Weights, 0, 0);
    (0..rows)
        .map(|row| {
            let mut values: Vec<f32> =
                (0..features).map(|i| numbers.normal((row * features + i) as u64)).collect();
            let class = (1..3).fold(0, |best, i| if values[i] > values[best] { i } else { best });
            values.push(class as f32);
            values
        })
        .collect()
}

/// The sealed dataset of these rows.
pub fn dataset<'a>(
    model: &Model,
    loss: Loss,
    rows: impl IntoIterator<Item = &'a Vec<f32>>,
) -> Arc<Dataset> {
    let mut data = Dataset::new(loss.record(model).unwrap());
    for row in rows {
        let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
        data.append(&bytes).unwrap();
    }
    data.seal();
    Arc::new(data)
}

/// Rows dealt to shards in turn, as datasets.
pub fn shards(model: &Model, rows: &[Vec<f32>], shards: usize) -> Vec<Arc<Dataset>> {
    (0..shards)
        .map(|shard| dataset(model, Loss::CrossEntropy, rows.iter().skip(shard).step_by(shards)))
        .collect()
}

/// A whole training without Spark: workers for the tasks, slices updated in turn.
pub struct Training {
    pub model: Arc<Model>,
    pub optimizer: Optimizer,
    pub data: Vec<Arc<Dataset>>,
    pub batch: usize,
    pub workers: Vec<Worker>,
    pub weights: Arc<Buffer>,
    state: Vec<Vec<f32>>,
    iteration: u64,
    wire: Wire,
}

impl Training {
    /// `owner[shard]` is the task that hosts it; `threads` are those of each task.
    pub fn new(
        model: &Arc<Model>,
        optimizer: &str,
        data: &[Arc<Dataset>],
        batch: usize,
        owner: &[usize],
        threads: usize,
    ) -> Training {
        let tasks = owner.iter().max().map_or(1, |last| last + 1);
        let mut workers: Vec<Worker> = (0..tasks)
            .map(|_| Worker::new(model.clone(), Loss::CrossEntropy, threads, SEED).unwrap())
            .collect();
        for (shard, (data, &task)) in data.iter().zip(owner).enumerate() {
            workers[task].set_shard(shard, data.clone()).unwrap();
        }
        let optimizer = Optimizer::from_json(optimizer).unwrap();
        let len = model.parameters().len();
        let state = |n| vec![0.0; optimizer.slots() * optimizer.slice(n, tasks, len).len()];
        Training {
            state: (0..tasks).map(state).collect(),
            weights: Arc::new(Buffer::from_f32(&model.initial_weights(SEED)).unwrap()),
            model: model.clone(),
            optimizer,
            data: data.to_vec(),
            batch,
            workers,
            iteration: 0,
            wire: Wire::of(None, model.parameters()),
        }
    }

    /// Rounds gradients from now on.
    pub fn compress(&mut self, compression: Compression) {
        self.wire = Wire::of(Some(compression), self.model.parameters());
        self.workers.iter_mut().for_each(|worker| worker.set_compression(Some(compression)));
    }

    pub fn rows(&self) -> usize {
        self.data.iter().map(|data| data.rows()).sum()
    }

    pub fn iterations(&self) -> usize {
        train::permutation::iterations(self.rows(), self.batch)
    }

    /// The next iteration; returns the sum of the losses and the number of samples.
    pub fn step(&mut self) -> (f64, usize) {
        let of = self.iterations();
        let index = (self.iteration % of as u64) as usize;
        let parts = self.data.iter().map(|data| slice(index, of, data.rows()).len());
        let step = Step {
            shards: self.data.len(),
            iteration: self.iteration,
            epoch: self.iteration / of as u64,
            index,
            of,
            count: parts.sum(),
            rate_factor: 1.0,
        };
        let mut losses = Vec::new();
        for worker in self.workers.iter_mut().filter(|worker| worker.shards().next().is_some()) {
            losses.extend(worker.forward_backward(&self.weights, &step).unwrap());
        }
        losses.sort_by_key(|loss| loss.shard);
        let gradients: Vec<(Root, &Arc<Buffer>)> = self
            .workers
            .iter()
            .flat_map(|worker| worker.roots().iter().map(|&r| (r, worker.gradient(r).unwrap())))
            .collect();
        let roots: Vec<Root> = gradients.iter().map(|(root, _)| *root).collect();
        let len = self.model.parameters().len();
        let mut weights = vec![f32::NAN; len];
        let tasks = self.state.len();
        let state_old = self.state.clone();
        let cut: Vec<_> = (0..tasks).map(|n| self.optimizer.slice(n, tasks, len)).collect();
        let parts: Vec<Vec<&[f32]>> = cut
            .iter()
            .map(|at| gradients.iter().map(|(_, g)| &g.f32()[at.clone()]).collect())
            .collect();
        let update = |n: usize| Update {
            optimizer: &self.optimizer,
            parameters: self.model.parameters(),
            slice: cut[n].clone(),
            iteration: self.iteration,
            age: self.iteration,
            rate_factor: 1.0,
            sums: &[],
            shards: self.data.len(),
            roots: &roots,
            gradients: &parts[n],
            rounding: self.wire.rounding(SEED, self.iteration),
            weights_old: &self.weights.f32()[cut[n].clone()],
            state_old: &state_old[n],
        };
        let sums = (0..tasks).map(|n| update(n).partial_sums().unwrap());
        let sums = sums.collect::<Vec<_>>().concat();
        for (n, state) in self.state.iter_mut().enumerate() {
            let update = Update { sums: &sums, ..update(n) };
            update.run(&mut weights[cut[n].clone()], state).unwrap();
        }
        self.weights = Arc::new(Buffer::from_f32(&weights).unwrap());
        self.iteration += 1;
        (losses.iter().map(|loss| loss.loss_sum).sum(), losses.iter().map(|l| l.count).sum())
    }
}
