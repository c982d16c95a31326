//! One worker: what it computes for its shards, and what it refuses.

use crate::common::{SEED, conv_net, dataset, dense_net, model, rows, shards};
use std::sync::Arc;
use tensor::Buffer;
use train::tree::Root;
use train::{Dataset, Error, Label, Loss, Record, Step, Worker};

const STEP: Step =
    Step { shards: 2, iteration: 0, epoch: 0, index: 0, of: 1, count: 20, rate_factor: 1.0 };

fn model_without_dropout() -> Arc<layers::Model> {
    model(
        r#"{"format": 1, "name": "norm", "inputs": [{"name": "image", "shape": [1, 6, 6]}],
        "layers": [
          {"class": "Conv2D", "name": "conv", "inputs": ["image"],
           "config": {"filters": 4, "kernel_size": [3, 3], "activation": "relu"}},
          {"class": "BatchNormalization", "name": "norm", "inputs": ["conv"], "config": {}},
          {"class": "Flatten", "name": "flat", "inputs": ["norm"], "config": {}},
          {"class": "Dense", "name": "dense", "inputs": ["flat"], "config": {"units": 3}}],
        "outputs": ["dense"]}"#,
    )
}

fn weights(model: &layers::Model) -> Arc<Buffer> {
    Arc::new(Buffer::from_f32(&model.initial_weights(SEED)).unwrap())
}

fn worker(model: &Arc<layers::Model>, data: &[Arc<Dataset>]) -> Worker {
    let mut worker = Worker::new(model.clone(), Loss::CrossEntropy, 2, SEED).unwrap();
    for (shard, data) in data.iter().enumerate() {
        worker.set_shard(shard, data.clone()).unwrap();
    }
    worker
}

#[test]
fn running_statistics_are_averaged_by_the_shards_samples() {
    let model = conv_net();
    let rows = rows(36, 20);
    let data = [&rows[..15], &rows[15..]].map(|rows| dataset(&model, Loss::CrossEntropy, rows));
    let weights = weights(&model);
    let range = model.parameters().get("norm.running_mean").unwrap().range();
    let alone = |data: &Arc<Dataset>| {
        let mut worker = worker(&model, std::slice::from_ref(data));
        let step = Step { shards: 1, count: data.rows(), ..STEP };
        worker.forward_backward(&weights, &step).unwrap();
        worker.gradient(Root { first: 0, level: 0 }).unwrap().f32()[range.clone()].to_vec()
    };
    let (large, small) = (alone(&data[0]), alone(&data[1]));
    let mut both = worker(&model, &data);
    both.forward_backward(&weights, &STEP).unwrap();
    let mean = &both.gradient(Root { first: 0, level: 1 }).unwrap().f32()[range.clone()];
    for ((mean, large), small) in mean.iter().zip(large).zip(small) {
        assert!((mean - (0.75 * large + 0.25 * small)).abs() < 1e-6);
    }
    assert!(mean.iter().any(|&value| value != 0.0));
}

/// The sum of the losses and the gradient of a batch of one shard, run in parts.
fn in_parts(data: &Arc<Dataset>, model: &Arc<layers::Model>, most: usize) -> (f64, Vec<f32>) {
    let mut worker = worker(model, std::slice::from_ref(data));
    worker.set_micro_batch(Some(most)).unwrap();
    let step = Step { shards: 1, count: data.rows(), ..STEP };
    let losses = worker.forward_backward(&weights(model), &step).unwrap();
    (losses[0].loss_sum, worker.gradient(Root { first: 0, level: 0 }).unwrap().f32().to_vec())
}

#[test]
fn gradients_of_micro_batches_add_up_to_that_of_the_batch() {
    let model = dense_net();
    let data = &shards(&model, &rows(5, 20), 1)[0];
    let (loss, whole) = in_parts(data, &model, 20);
    for most in [1, 3, 7, 19] {
        let (sum, parts) = in_parts(data, &model, most);
        assert!((sum / loss - 1.0).abs() < 1e-6);
        // Roundings of 20 numbers of order 0.1.
        assert!(parts.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-6), "{most}");
    }
}

#[test]
fn batch_normalization_of_micro_batches_is_that_of_their_rows() {
    let model = model_without_dropout();
    let data = &shards(&model, &rows(36, 20), 1)[0];
    let order = train::permutation::permutation(SEED, 0, 0, 20);
    let mut expected = vec![0.0; model.parameters().len()];
    for part in [0..6, 6..13, 13..20] {
        let rows: Vec<Vec<f32>> =
            order[part].iter().map(|&row| data.row(row as usize).to_vec()).collect();
        let part = dataset(&model, Loss::CrossEntropy, &rows);
        let share = rows.len() as f32 / 20.0;
        let (_, gradient) = in_parts(&part, &model, 20);
        expected.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += share * g);
    }
    let (_, got) = in_parts(data, &model, 7);
    for parameter in model.parameters().iter() {
        for i in parameter.range() {
            // Rows of a part stand in another order: roundings of numbers of order 1.
            assert!((got[i] - expected[i]).abs() < 1e-5, "{} {i}", parameter.name);
        }
    }
}

#[test]
fn micro_batches_drop_values_of_their_own() {
    let model = conv_net();
    let data = &dataset(&model, Loss::CrossEntropy, [&rows(36, 1)[0]; 2]);
    // The same row twice: with the same mask both parts would have the same loss.
    let alone = dataset(&model, Loss::CrossEntropy, [&rows(36, 1)[0]]);
    let ((both, _), (one, _)) = (in_parts(data, &model, 1), in_parts(&alone, &model, 1));
    assert!((both - 2.0 * one).abs() > 1e-3, "{both} {one}");
}

#[test]
fn a_shard_without_rows_contributes_nothing() {
    let model = conv_net();
    let mut data = shards(&model, &rows(36, 20), 1);
    let weights = weights(&model);
    let mut one = worker(&model, &data);
    one.forward_backward(&weights, &Step { shards: 1, ..STEP }).unwrap();
    data.push(dataset(&model, Loss::CrossEntropy, []));
    let mut two = worker(&model, &data);
    let losses = two.forward_backward(&weights, &STEP).unwrap();
    assert_eq!((losses[1].count, losses[1].loss_sum), (0, 0.0));
    let (one, two) = (one.gradient(one.roots()[0]), two.gradient(two.roots()[0]));
    assert_eq!(one.unwrap().f32(), two.unwrap().f32());
}

#[test]
fn an_iteration_may_be_run_again() {
    let model = conv_net();
    let data = shards(&model, &rows(36, 40), 2);
    let weights = weights(&model);
    let mut worker = worker(&model, &data);
    let steps = [0, 1].map(|index| Step { iteration: index as u64, index, of: 2, ..STEP });
    let mut run = |step: &Step| {
        let losses = worker.forward_backward(&weights, step).unwrap();
        (losses, train::hash(worker.gradient(worker.roots()[0]).unwrap().f32()))
    };
    let first = run(&steps[0]);
    assert_ne!(run(&steps[1]), first);
    assert_eq!(run(&steps[0]), first);
}

#[test]
fn the_evaluation_counts_every_row_whatever_the_batch() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 203), 3);
    let weights = weights(&model);
    let mut worker = worker(&model, &[]);
    let expected = worker.evaluate(&weights, &data, 1).unwrap();
    assert_eq!(expected.count, 203);
    for batch in [2, 7, 32, 1000] {
        let found = worker.evaluate(&weights, &data, batch).unwrap();
        assert_eq!((found.count, found.correct), (203, expected.correct));
        assert!((found.loss_sum / expected.loss_sum - 1.0).abs() < 1e-6);
    }
    assert_eq!(worker.evaluate(&weights, &[], 8).unwrap().count, 0);
}

#[test]
fn a_mean_squared_error_is_that_of_the_predictions() {
    let model = dense_net();
    let rows: Vec<Vec<f32>> =
        rows(7, 9).into_iter().map(|mut row| row.drain(..8).collect()).collect();
    let data = [dataset(&model, Loss::MeanSquaredError, &rows)];
    let zeros = Arc::new(Buffer::new(model.parameters().len() * 4).unwrap());
    let mut worker = Worker::new(model, Loss::MeanSquaredError, 1, SEED).unwrap();
    let found = worker.evaluate(&zeros, &data, 4).unwrap();
    let squares = |row: &Vec<f32>| row[5..].iter().map(|&t| t as f64 * t as f64).sum::<f64>() / 3.0;
    let expected: f64 = rows.iter().map(squares).sum();
    assert!((found.loss_sum / expected - 1.0).abs() < 1e-6);
    assert_eq!((found.count, found.correct), (9, 0));
}

#[test]
fn a_worker_names_what_it_cannot_run() {
    let model = dense_net();
    let data = shards(&model, &rows(5, 20), 2);
    let weights = weights(&model);
    let short = Arc::new(Buffer::new(8).unwrap());
    let mut worker = Worker::new(model.clone(), Loss::CrossEntropy, 1, SEED).unwrap();
    let run = |worker: &mut Worker, weights: &Arc<Buffer>, step: Step| {
        worker.forward_backward(weights, &step).unwrap_err().to_string()
    };
    let message = run(&mut worker, &weights, STEP);
    assert!(message.contains("at least one shard, got none"), "{message}");

    let open = Arc::new(Dataset::new(Loss::CrossEntropy.record(&model).unwrap()));
    assert!(matches!(worker.set_shard(0, open), Err(Error::Sealed { .. })));
    let mut other = Dataset::new(Record { features: 5, label: Label::Class { classes: 4 } });
    other.seal();
    let message = worker.set_shard(0, Arc::new(other)).unwrap_err().to_string();
    assert!(message.contains("shard 0: expected records of 5 features"), "{message}");

    worker.set_shard(1, data[1].clone()).unwrap();
    for (weights, step, expected) in [
        (&short, STEP, "weights: expected 39 floats, got 2"),
        (&weights, Step { index: 3, of: 3, ..STEP }, "step: index is 3 of 3"),
        (&weights, Step { count: 0, ..STEP }, "step: count is 0"),
        (&weights, Step { shards: 1, ..STEP }, "shard 1: expected a number below the 1 shards"),
    ] {
        let message = run(&mut worker, weights, step);
        assert!(message.contains(expected), "{message}");
    }
    assert!(worker.roots().is_empty());
    worker.forward_backward(&weights, &STEP).unwrap();
    assert_eq!(worker.roots(), [Root { first: 1, level: 0 }]);
    assert!(worker.gradient(Root { first: 0, level: 0 }).is_none());
    assert!(worker.remove_shard(1) && !worker.remove_shard(1));

    let message = worker.evaluate(&weights, &data, 0).unwrap_err().to_string();
    assert!(message.contains("evaluate: batch is 0"), "{message}");
    let message = worker.set_micro_batch(Some(0)).unwrap_err().to_string();
    assert!(message.contains("micro_batch is 0, expected 1 row or more"), "{message}");
    assert!(Worker::new(model, Loss::CrossEntropy, 0, SEED).is_err());
}

#[test]
fn a_loss_that_cannot_train_the_model_is_refused_at_once() {
    let model = crate::common::model(
        r#"{"format": 1, "name": "one", "inputs": [{"name": "x", "shape": [2]}], "layers": [
          {"class": "Dense", "name": "dense", "inputs": ["x"], "config": {"units": 1}}],
        "outputs": ["dense"]}"#,
    );
    let refused = Worker::new(model.clone(), Loss::CrossEntropy, 1, SEED);
    let message = refused.err().expect("one output has no classes").to_string();
    assert!(message.contains("expected an output of [classes], 2 or more"), "{message}");
    assert!(Worker::new(model, Loss::MeanSquaredError, 1, SEED).is_ok());
}
