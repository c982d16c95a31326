//! Native memory over many lives of workers, datasets and predictors. Alone in its process, because
//! it measures the whole process.

use layers::Model;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tensor::Buffer;
use train::{Dataset, Loss, Predictor, Step, Worker};

const NET: &str = r#"{"format": 1, "name": "net", "inputs": [{"name": "x", "shape": [1, 8, 8]}],
  "layers": [
    {"class": "Conv2D", "name": "conv", "inputs": ["x"],
     "config": {"filters": 8, "kernel_size": [3, 3], "activation": "relu"}},
    {"class": "BatchNormalization", "name": "norm", "inputs": ["conv"], "config": {}},
    {"class": "Flatten", "name": "flat", "inputs": ["norm"], "config": {}},
    {"class": "Dense", "name": "dense", "inputs": ["flat"], "config": {"units": 3}}],
  "outputs": ["dense"]}"#;

/// Loads oneDNN if it is there, and keeps the tests of this file from running at the same time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/native/linux-x86_64");
    let path = std::env::var_os("FIRESTEEL_ONEDNN")
        .map_or_else(|| PathBuf::from(built).join("libdnnl.so.3"), PathBuf::from);
    if path.exists() {
        onednn::load(&path).expect("oneDNN is there and can be loaded");
    }
    guard
}

/// `rows` equal rows.
fn data(model: &Model, rows: usize) -> Arc<Dataset> {
    let mut data = Dataset::new(Loss::CrossEntropy.record(model).unwrap());
    let row = [[0.5f32; 64].as_slice(), &[1.0]].concat();
    let row: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
    (0..rows).for_each(|_| data.append(&row).unwrap());
    data.seal();
    Arc::new(data)
}

/// One life: define, load data, train a step, evaluate, predict, drop everything.
fn cycle(cycle: usize) {
    let model = Arc::new(Model::from_json(NET).unwrap());
    let loss = Loss::CrossEntropy;
    // Another batch size in every other cycle, so that plans differ.
    let rows = 12 + cycle % 2;
    let data = data(&model, rows);
    let weights = Arc::new(Buffer::from_f32(&model.initial_weights(1)).unwrap());
    let mut worker = Worker::new(model.clone(), loss, 2, 1).unwrap();
    worker.set_shard(0, data.clone()).unwrap();
    let (shards, count, rate_factor) = (1, rows, 1.0);
    let step = Step { shards, iteration: 0, epoch: 0, index: 0, of: 1, count, rate_factor };
    worker.forward_backward(&weights, &step).unwrap();
    worker.evaluate(&weights, &[data], 8).unwrap();
    let predictor = Predictor::new(model, weights, 2).unwrap();
    predictor.predict(&[&[0.5; 64]], 1, &mut [0.0; 3]).unwrap();
}

/// Resident bytes of this process, where the system tells.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(status.split_whitespace().nth(1)?.parse::<usize>().ok()? * 4096)
}

#[test]
fn memory_is_back_where_it_was_after_1000_cycles() {
    let _alone = alone();
    // The first cycles fill oneDNN's cache of compiled kernels and the allocator's pools.
    (0..200).for_each(cycle);
    let (buffers, before) = (Buffer::allocated(), resident());
    (0..1000).for_each(cycle);
    assert_eq!(Buffer::allocated(), buffers);
    if let (Some(before), Some(after)) = (before, resident()) {
        // Leaks of our own memory show above; this is the libraries' too, at 6 kB per cycle.
        let grown = after.saturating_sub(before);
        assert!(grown < 6 << 20, "{grown} bytes more after 1000 cycles");
    }
}

#[test]
fn batch_sizes_share_the_memory_of_their_replica() {
    let _alone = alone();
    let model = Arc::new(Model::from_json(NET).unwrap());
    let weights = Arc::new(Buffer::from_f32(&model.initial_weights(1)).unwrap());
    let mut worker = Worker::new(model.clone(), Loss::CrossEntropy, 1, 1).unwrap();
    worker.set_shard(0, data(&model, 129)).unwrap();
    let mut run = |index, count| {
        let before = Buffer::allocated();
        let (shards, rate_factor) = (1, 1.0);
        let step = Step { shards, iteration: 0, epoch: 0, index, of: 2, count, rate_factor };
        assert_eq!(worker.forward_backward(&weights, &step).unwrap()[0].count, count);
        Buffer::allocated() - before
    };
    let first = run(1, 65);
    let second = run(0, 64);
    // The smaller batch adds its copy of the weights (some kB), no activations (some 100 kB).
    assert!(first > 100_000 && second < first / 5, "{first} {second}");
}
