//! Steps that shards take by themselves.

use crate::common::{SEED, conv_net, dataset, dense_net, rows, shards};
use layers::Model;
use nn::ParameterKind;
use std::sync::Arc;
use tensor::Buffer;
use train::permutation::permutation;
use train::tree::Root;
use train::{Dataset, LocalSteps, Loss, Optimizer, Step, Update, Worker};

const STEP: Step =
    Step { shards: 1, iteration: 0, epoch: 0, index: 0, of: 1, count: 21, rate_factor: 1.0 };

const MOMENTUM: &str = r#"{"class": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}"#;

const CLIPPED: &str = r#"{"class": "Adam", "config": {"learning_rate": 0.01, "clip_norm": 0.5}}"#;

fn weights(model: &Model) -> Arc<Buffer> {
    Arc::new(Buffer::from_f32(&model.initial_weights(SEED)).unwrap())
}

fn worker(model: &Arc<Model>, data: &[Arc<Dataset>], threads: usize) -> Worker {
    let mut worker = Worker::new(model.clone(), Loss::CrossEntropy, threads, SEED).unwrap();
    for (shard, data) in data.iter().enumerate() {
        worker.set_shard(shard, data.clone()).unwrap();
    }
    worker
}

fn local(worker: &mut Worker, steps: usize, optimizer: &str) {
    let optimizer = Optimizer::from_json(optimizer).unwrap();
    worker.set_local_steps(Some(LocalSteps { steps, optimizer })).unwrap();
}

/// The weights of a training with so many whole batches, one after the other.
fn serial(model: &Arc<Model>, batches: &[Vec<Vec<f32>>], optimizer: &str) -> Vec<f32> {
    let optimizer = Optimizer::from_json(optimizer).unwrap();
    let mut weights = weights(model);
    let mut state = vec![0.0; optimizer.slots() * weights.f32().len()];
    for (age, rows) in batches.iter().enumerate() {
        let mut worker = worker(model, &[dataset(model, Loss::CrossEntropy, rows)], 1);
        worker.forward_backward(&weights, &Step { count: rows.len(), ..STEP }).unwrap();
        let root = worker.roots()[0];
        let (mut new, old) = (weights.f32().to_vec(), state.clone());
        let update = Update {
            optimizer: &optimizer,
            parameters: model.parameters(),
            slice: 0..new.len(),
            iteration: 0,
            age: age as u64,
            rate_factor: 1.0,
            sums: &[],
            shards: 1,
            roots: &[root],
            gradients: &[worker.gradient(root).unwrap().f32()],
            rounding: None,
            weights_old: weights.f32(),
            state_old: &old,
        };
        let sums = update.partial_sums().unwrap();
        Update { sums: &sums, ..update }.run(&mut new, &mut state).unwrap();
        weights = Arc::new(Buffer::from_f32(&new).unwrap());
    }
    weights.f32().to_vec()
}

/// `weights` minus what stands for the gradient: the mean of the weights of all shards.
fn mean(model: &Model, weights: &[f32], worker: &Worker) -> Vec<f32> {
    let back = worker.gradient(worker.roots()[0]).unwrap().f32();
    let mut mean: Vec<f32> = weights.iter().zip(back).map(|(weight, back)| weight - back).collect();
    let parameters = model.parameters().iter();
    for one in parameters.filter(|one| one.kind == ParameterKind::Statistic) {
        mean[one.range()].copy_from_slice(&back[one.range()]);
    }
    mean
}

fn close(a: &[f32], b: &[f32]) {
    let far = a.iter().zip(b).position(|(a, b)| (a - b).abs() > 2e-5);
    assert_eq!(far, None, "{:?}", far.map(|at| (a[at], b[at])));
}

/// The rows of a shard in the order of the first epoch.
fn ordered(shard: usize, data: &Dataset) -> Vec<Vec<f32>> {
    let order = permutation(SEED, 0, shard, data.rows());
    order.iter().map(|&row| data.row(row as usize).to_vec()).collect()
}

#[test]
fn steps_of_one_shard_are_those_of_a_serial_training() {
    let model = dense_net();
    let data = &shards(&model, &rows(5, 21), 1)[0];
    let rows = ordered(0, data);
    let batches = [0..5, 5..10, 10..15, 15..21].map(|at| rows[at].to_vec());
    for optimizer in [MOMENTUM, CLIPPED] {
        let mut worker = worker(&model, std::slice::from_ref(data), 1);
        local(&mut worker, 4, optimizer);
        worker.forward_backward(&weights(&model), &STEP).unwrap();
        let got = mean(&model, weights(&model).f32(), &worker);
        close(&got, &serial(&model, &batches, optimizer));
    }
}

#[test]
fn what_stands_for_gradients_adds_up_to_the_mean_of_the_shards_weights() {
    let model = dense_net();
    let all = rows(5, 21);
    let data = [&all[..15], &all[15..]].map(|rows| dataset(&model, Loss::CrossEntropy, rows));
    let mut both = worker(&model, &data, 2);
    local(&mut both, 3, MOMENTUM);
    both.forward_backward(&weights(&model), &Step { shards: 2, ..STEP }).unwrap();
    let alone = |shard: usize, parts: [std::ops::Range<usize>; 3]| {
        let rows = ordered(shard, &data[shard]);
        serial(&model, &parts.map(|at| rows[at].to_vec()), MOMENTUM)
    };
    let (large, small) = (alone(0, [0..5, 5..10, 10..15]), alone(1, [0..2, 2..4, 4..6]));
    let expected: Vec<f32> = large
        .iter()
        .zip(&small)
        .map(|(large, small)| (15.0 * large + 6.0 * small) / 21.0)
        .collect();
    close(&mean(&model, weights(&model).f32(), &both), &expected);
}

#[test]
fn threads_and_micro_batches_do_what_they_do_without_local_steps() {
    let model = conv_net();
    let data = shards(&model, &rows(36, 41), 4);
    let step = Step { shards: 4, count: 41, ..STEP };
    let hash = |threads: usize, micro_batch: Option<usize>| {
        let mut worker = worker(&model, &data, threads);
        worker.set_micro_batch(micro_batch).unwrap();
        local(&mut worker, 3, CLIPPED);
        worker.forward_backward(&weights(&model), &step).unwrap();
        let first = train::hash(worker.gradient(Root { first: 0, level: 2 }).unwrap().f32());
        // Nothing is left of an iteration, nor of a validation, in the next.
        worker.evaluate(&weights(&model), &data, 7).unwrap();
        worker.forward_backward(&weights(&model), &step).unwrap();
        assert_eq!(train::hash(worker.gradient(worker.roots()[0]).unwrap().f32()), first);
        first
    };
    let expected = hash(1, None);
    assert_eq!(hash(3, None), expected);
    assert_ne!(hash(1, Some(2)), expected);
    assert_eq!(hash(4, Some(2)), hash(1, Some(2)));
}

#[test]
fn more_steps_than_rows_and_no_steps() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 2), 1);
    let mut one = worker(&model, &data, 1);
    local(&mut one, 9, MOMENTUM);
    let losses = one.forward_backward(&weights(&model), &Step { count: 2, ..STEP }).unwrap();
    assert_eq!(losses[0].count, 2);
    let optimizer = Optimizer::from_json(MOMENTUM).unwrap();
    let message = one.set_local_steps(Some(LocalSteps { steps: 0, optimizer })).unwrap_err();
    assert!(message.to_string().contains("local_steps is 0"), "{message}");
}
