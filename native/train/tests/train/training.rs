//! Whole trainings: the same bits from any distribution, and the right numbers.

use crate::common::{SEED, Training, conv_net, dense_net, rows, shards};
use oracle::Array;
use oracle::ops::{elementwise, loss, matmul::Gemm};
use std::sync::Arc;
use train::permutation::{permutation, rows_of_iteration};
use train::{Compression, Dataset, Loss};

const ADAM: &str = r#"{"class": "Adam", "config": {"learning_rate": 0.01}}"#;
const SGD: &str = r#"{"class": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}"#;

/// Hash of the weights after 12 iterations (two epochs of 6) of the convolutional net on 7 shards.
fn weights_hash(owner: [usize; 7], threads: usize) -> String {
    weights_hash_with(ADAM, None, owner, threads)
}

fn weights_hash_with(
    optimizer: &str,
    micro_batch: Option<usize>,
    owner: [usize; 7],
    threads: usize,
) -> String {
    let model = conv_net();
    let data = shards(&model, &rows(36, 101), 7);
    let mut training = Training::new(&model, optimizer, &data, 19, &owner, threads);
    for worker in &mut training.workers {
        worker.set_micro_batch(micro_batch).unwrap();
    }
    for _ in 0..12 {
        training.step();
    }
    train::hash(training.weights.f32())
}

#[test]
fn the_same_bits_come_out_with_1_and_4_threads_and_twice() {
    let expected = weights_hash([0; 7], 1);
    assert_eq!(weights_hash([0; 7], 1), expected);
    assert_eq!(weights_hash([0; 7], 4), expected);
    assert_eq!(weights_hash([0; 7], 9), expected);
}

#[test]
fn the_same_bits_come_out_of_micro_batches_with_any_threads_and_workers() {
    let expected = weights_hash_with(ADAM, Some(2), [0; 7], 1);
    assert_ne!(expected, weights_hash([0; 7], 1));
    assert_eq!(weights_hash_with(ADAM, Some(2), [0; 7], 3), expected);
    assert_eq!(weights_hash_with(ADAM, Some(2), [0, 0, 0, 0, 1, 1, 1], 2), expected);
}

#[test]
fn the_same_bits_come_out_of_optimizers_that_need_sums() {
    for optimizer in [
        r#"{"class": "Adam", "config": {"clip_norm": 0.5, "ema_decay": 0.9}}"#,
        r#"{"class": "LARS", "config": {"learning_rate": 10}}"#,
        r#"{"class": "LAMB"}"#,
        r#"{"class": "LBFGS", "config": {"learning_rate": 0.1, "history_size": 3}}"#,
    ] {
        let expected = weights_hash_with(optimizer, None, [0; 7], 1);
        for owner in [[0, 0, 0, 0, 1, 1, 1], [3, 3, 2, 2, 1, 1, 0]] {
            let hash = weights_hash_with(optimizer, None, owner, 2);
            assert_eq!(hash, expected, "{optimizer} {owner:?}");
        }
    }
}

#[test]
fn the_same_bits_come_out_of_rounded_gradients() {
    let hash = |owner: [usize; 7], threads: usize| {
        let model = conv_net();
        let data = shards(&model, &rows(36, 101), 7);
        let mut training = Training::new(&model, ADAM, &data, 19, &owner, threads);
        training.compress(Compression::Bf16);
        for _ in 0..12 {
            training.step();
        }
        train::hash(training.weights.f32())
    };
    let expected = hash([0; 7], 1);
    assert_ne!(expected, weights_hash([0; 7], 1));
    for owner in [[0; 7], [0, 0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1, 0], [0, 1, 2, 3, 4, 5, 6]] {
        assert_eq!(hash(owner, 2), expected, "{owner:?}");
    }
}

#[test]
fn the_same_bits_come_out_however_shards_are_spread_over_workers() {
    let expected = weights_hash([0; 7], 2);
    for owner in [
        [0, 0, 0, 0, 1, 1, 1],
        [0, 1, 1, 1, 1, 1, 1],
        [0, 1, 0, 1, 0, 1, 0],
        [3, 3, 2, 2, 1, 1, 0],
        [0, 1, 2, 3, 4, 5, 6],
        [1, 1, 1, 1, 1, 1, 1],
    ] {
        assert_eq!(weights_hash(owner, 1), expected, "{owner:?}");
    }
}

#[test]
fn the_rows_order_of_arrival_does_not_change_a_bit() {
    let model = conv_net();
    let mut rows = rows(36, 60);
    let hash = |rows: &[Vec<f32>]| {
        let data = [crate::common::dataset(&model, Loss::CrossEntropy, rows)];
        let mut training = Training::new(&model, SGD, &data, 20, &[0], 1);
        for _ in 0..4 {
            training.step();
        }
        train::hash(training.weights.f32())
    };
    let expected = hash(&rows);
    rows.reverse();
    rows.rotate_left(17);
    assert_eq!(hash(&rows), expected);
}

/// The dense net's training in f64, row by row of the whole batch, by hand.
struct Serial {
    weights: [Array; 4],
    velocity: [Array; 4],
}

impl Serial {
    const LAYER: Gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true };

    fn step(&mut self, batch: &[&[f32]]) -> f64 {
        let count = batch.len();
        let x: Vec<f32> = batch.iter().flat_map(|row| row[..5].iter().copied()).collect();
        let x = Array::from_f32(&[count, 5], &x);
        let labels: Vec<f32> = batch.iter().map(|row| row[5]).collect();
        let labels = Array::from_f32(&[count], &labels);
        let [w1, b1, w2, b2] = &self.weights;
        let sum = Self::LAYER.forward(&x, w1, Some(b1));
        let hidden = elementwise::tanh(&sum);
        let logits = Self::LAYER.forward(&hidden, w2, Some(b2));
        let losses = loss::softmax_cross_entropy(&logits, &labels);
        let scale = 1.0 / count as f64;
        let d_logits = loss::softmax_cross_entropy_backward(&logits, &labels, scale);
        let (d_hidden, d_w2) = Self::LAYER.backward(&hidden, w2, &d_logits);
        let d_sum = elementwise::tanh_backward(&sum, &d_hidden);
        let (_, d_w1) = Self::LAYER.backward(&x, w1, &d_sum);
        let d_b1 = Self::LAYER.backward_c(&b1.dims, &d_sum);
        let d_b2 = Self::LAYER.backward_c(&b2.dims, &d_logits);
        let parts = self.weights.iter_mut().zip(&mut self.velocity);
        for ((w, v), g) in parts.zip([d_w1, d_b1, d_w2, d_b2]) {
            *v = v.zip(&g, |v, g| 0.9 * v + g);
            *w = w.zip(v, |w, v| w - 0.1 * v);
        }
        losses.data.iter().sum()
    }
}

/// The rows that an iteration uses, shard by shard.
fn batch(data: &[Arc<Dataset>], epoch: u64, index: usize, of: usize) -> Vec<&[f32]> {
    let mut rows = Vec::new();
    for (shard, data) in data.iter().enumerate() {
        let order = permutation(SEED, epoch, shard, data.rows());
        let at = rows_of_iteration(index, of, data.rows());
        rows.extend(order[at].iter().map(|&row| data.row(row as usize)));
    }
    rows
}

#[test]
fn a_training_equals_a_serial_loop_in_f64() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 70), 3);
    let mut training = Training::new(&model, SGD, &data, 16, &[0, 1, 0], 2);
    let start = training.weights.clone();
    let read = |name: &str, dims: &[usize]| {
        let range = model.parameters().get(name).unwrap().range();
        Array::from_f32(dims, &start.f32()[range])
    };
    let weights = [
        read("one.weight", &[4, 5]),
        read("one.bias", &[4]),
        read("two.weight", &[3, 4]),
        read("two.bias", &[3]),
    ];
    let velocity = weights.each_ref().map(|w| Array::zeros(&w.dims));
    let mut serial = Serial { weights, velocity };
    let of = training.iterations();
    for iteration in 0..2 * of {
        let rows = batch(&data, (iteration / of) as u64, iteration % of, of);
        let expected = serial.step(&rows);
        let (loss, count) = training.step();
        assert_eq!(count, rows.len());
        // Single precision over a few dozen steps of a tiny net.
        assert!((loss / expected - 1.0).abs() < 1e-5, "{iteration}: {loss} {expected}");
    }
    let names = ["one.weight", "one.bias", "two.weight", "two.bias"];
    for (name, expected) in names.iter().zip(&serial.weights) {
        let range = model.parameters().get(name).unwrap().range();
        let weights = Array::from_f32(&expected.dims, &training.weights.f32()[range]);
        assert!(weights.distance(expected) < 1e-5, "{name}");
    }
}

#[test]
fn every_sample_is_used_once_per_epoch_with_batch_1000_on_7_shards() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 6543), 7);
    let optimizer = r#"{"class": "SGD", "config": {"learning_rate": 0.0}}"#;
    let mut training = Training::new(&model, optimizer, &data, 1000, &[0, 0, 0, 1, 1, 2, 2], 2);
    assert_eq!(training.iterations(), 7);
    let weights = training.weights.clone();
    let all = training.workers[0].evaluate(&weights, &data, 256).unwrap();
    for epoch in 0..2 {
        let (mut loss, mut count) = (0.0, 0);
        for _ in 0..7 {
            let step = training.step();
            assert!(step.1 <= 1000 + 7 && step.1 >= 900, "{step:?}");
            loss += step.0;
            count += step.1;
        }
        // With weights at rest the losses of an epoch are those of all samples, each once.
        assert_eq!(count as u64, all.count, "epoch {epoch}");
        assert!((loss / all.loss_sum - 1.0).abs() < 1e-6, "epoch {epoch}");
    }
}

#[test]
fn a_training_learns_what_can_be_learnt() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 1000), 4);
    let mut training = Training::new(&model, ADAM, &data, 50, &[0, 0, 1, 1], 2);
    let weights = training.weights.clone();
    let before = training.workers[0].evaluate(&weights, &data, 128).unwrap();
    for _ in 0..20 * training.iterations() {
        training.step();
    }
    let weights = training.weights.clone();
    let after = training.workers[0].evaluate(&weights, &data, 128).unwrap();
    assert!(before.correct < 600, "{before:?}");
    assert!(after.correct > 930 && after.loss_sum < before.loss_sum / 3.0, "{after:?}");
}
