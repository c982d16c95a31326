//! Training and prediction in bf16: near those in f32, with the same bits on any number of threads.

use crate::common::{SEED, Training, conv_net, dataset, model, rows, shards};
use layers::Model;
use nn::Precision;
use std::sync::Arc;
use tensor::Buffer;
use train::tree::Root;
use train::{Loss, Predictor, Step, Worker};

/// Attention, layer normalization and dense layers with GELU, as in a BERT. 4 words of 9 numbers,
/// 3 classes.
fn text_net() -> Arc<Model> {
    model(
        r#"{"format": 1, "name": "text", "inputs": [{"name": "words", "shape": [4, 9]}],
        "layers": [
          {"class": "Dense", "name": "in", "inputs": ["words"], "config": {"units": 16}},
          {"class": "MultiHeadAttention", "name": "att", "inputs": ["in"],
           "config": {"num_heads": 2}},
          {"class": "Add", "name": "sum", "inputs": ["in", "att"], "config": {}},
          {"class": "LayerNormalization", "name": "ln", "inputs": ["sum"], "config": {}},
          {"class": "Dense", "name": "ff", "inputs": ["ln"],
           "config": {"units": 32, "activation": "gelu"}},
          {"class": "Flatten", "name": "flat", "inputs": ["ff"], "config": {}},
          {"class": "Dense", "name": "out", "inputs": ["flat"], "config": {"units": 3}}],
        "outputs": ["out"]}"#,
    )
}

fn bf16_is_here() -> bool {
    let here = Predictor::new(text_net(), weights(&text_net()), 1)
        .and_then(|predictor| predictor.in_precision(Precision::Bf16))
        .is_ok();
    if !here {
        println!("skipped bf16: oneDNN has no instructions for it here");
    }
    here
}

fn weights(model: &Model) -> Arc<Buffer> {
    Arc::new(Buffer::from_f32(&model.initial_weights(SEED)).unwrap())
}

/// A training of two shards on one worker.
fn training(model: &Arc<Model>, precision: Precision, threads: usize) -> Training {
    let data = shards(model, &rows(36, 60), 2);
    let adam = r#"{"class": "Adam", "config": {"learning_rate": 0.01}}"#;
    let mut training = Training::new(model, adam, &data, 20, &[0, 0], threads);
    training.workers[0].set_precision(precision).unwrap();
    training
}

fn losses(training: &mut Training) -> Vec<f64> {
    (0..60).map(|_| training.step()).map(|(sum, count)| sum / count as f64).collect()
}

#[test]
fn losses_in_bf16_follow_those_in_f32_and_fall() {
    if !bf16_is_here() {
        return;
    }
    for model in [conv_net(), text_net()] {
        let [f32, bf16] = Precision::ALL.map(|p| losses(&mut training(&model, p, 2)));
        let name = model.name().to_owned();
        assert_ne!(f32, bf16, "{name}");
        // The first loss differs by the roundings of one pass, later ones by those of the path.
        assert!((bf16[0] / f32[0] - 1.0).abs() < 0.01, "{name}: {} {}", bf16[0], f32[0]);
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let (end, expected) = (mean(&bf16[50..]), mean(&f32[50..]));
        assert!((end - expected).abs() < 0.05, "{name}: {end} {expected}");
        assert!(end < 0.7 * bf16[0], "{name}: {end} {}", bf16[0]);
    }
}

#[test]
fn bits_in_bf16_do_not_depend_on_the_number_of_threads() {
    if !bf16_is_here() {
        return;
    }
    for model in [conv_net(), text_net()] {
        let [one, two] = [1, 2].map(|threads| {
            let mut training = training(&model, Precision::Bf16, threads);
            let losses = losses(&mut training);
            let bits: Vec<u32> = training.weights.f32().iter().map(|w| w.to_bits()).collect();
            (losses, bits)
        });
        assert_eq!(one, two);
    }
}

#[test]
fn gradients_of_weights_are_not_rounded_to_bf16() {
    if !bf16_is_here() {
        return;
    }
    for model in [conv_net(), text_net()] {
        let gradient = |precision| {
            let mut worker = Worker::new(model.clone(), Loss::CrossEntropy, 1, SEED).unwrap();
            worker.set_shard(0, dataset(&model, Loss::CrossEntropy, &rows(36, 20))).unwrap();
            worker.set_precision(precision).unwrap();
            let step = Step {
                shards: 1,
                iteration: 0,
                epoch: 0,
                index: 0,
                of: 1,
                count: 20,
                rate_factor: 1.0,
            };
            worker.forward_backward(&weights(&model), &step).unwrap();
            worker.gradient(Root { first: 0, level: 0 }).unwrap().f32().to_vec()
        };
        let [f32, bf16] = Precision::ALL.map(gradient);
        for parameter in model.parameters().iter() {
            let (f32, bf16) = (&f32[parameter.range()], &bf16[parameter.range()]);
            let long = |value: &&f32| value.to_bits() & 0xffff != 0;
            let nonzero = bf16.iter().filter(|value| **value != 0.0).count();
            let name = &parameter.name;
            assert!(bf16.iter().filter(long).count() * 2 >= nonzero, "{name} is rounded");
            let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
            let apart: Vec<f32> = f32.iter().zip(bf16).map(|(a, b)| a - b).collect();
            let (apart, norm) = (norm(&apart), norm(f32));
            assert!(apart <= 0.05 * norm + 1e-4, "{name}: {apart} of {norm}");
        }
    }
}

#[test]
fn predictions_in_bf16_are_near_those_in_f32() {
    if !bf16_is_here() {
        return;
    }
    for model in [conv_net(), text_net()] {
        let inputs: Vec<f32> = rows(36, 41).iter().flat_map(|row| row[..36].to_vec()).collect();
        let predict = |precision| {
            let predictor = Predictor::new(model.clone(), weights(&model), 1).unwrap();
            let mut output = vec![f32::NAN; 41 * 3];
            let predictor = predictor.in_precision(precision).unwrap();
            predictor.predict(&[&inputs], 41, &mut output).unwrap();
            output
        };
        let [f32, bf16] = Precision::ALL.map(predict);
        assert_ne!(f32, bf16);
        let largest = f32.iter().fold(1.0, |most: f32, value| most.max(value.abs()));
        for (a, b) in f32.iter().zip(&bf16) {
            assert!((a - b).abs() <= 0.03 * largest, "{a} {b}");
        }
    }
}
