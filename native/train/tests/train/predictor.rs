//! Prediction from many threads at once.

use crate::common::{SEED, conv_net, dense_net, rows};
use std::sync::Arc;
use tensor::Buffer;
use train::Predictor;

fn predictor(model: &Arc<layers::Model>, concurrency: usize) -> Predictor {
    let weights = Arc::new(Buffer::from_f32(&model.initial_weights(SEED)).unwrap());
    Predictor::new(model.clone(), weights, concurrency).unwrap()
}

fn images(count: usize) -> Vec<f32> {
    rows(36, count).iter().flat_map(|row| row[..36].to_vec()).collect()
}

fn predict(predictor: &Predictor, images: &[f32]) -> Vec<f32> {
    let rows = images.len() / 36;
    let mut output = vec![f32::NAN; rows * 3];
    predictor.predict(&[images], rows, &mut output).unwrap();
    output
}

#[test]
fn a_row_s_prediction_does_not_depend_on_its_neighbours() {
    let predictor = predictor(&conv_net(), 1);
    let images = images(75);
    let together = predict(&predictor, &images);
    let alone: Vec<f32> = images.chunks(36).flat_map(|image| predict(&predictor, image)).collect();
    for (a, b) in together.iter().zip(&alone) {
        // Kernels may sum in another order for another batch size.
        assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{a} {b}");
    }
    assert_eq!(predict(&predictor, &images), together);
    assert!(predict(&predictor, &[]).is_empty());
}

#[test]
fn concurrent_callers_get_the_same_predictions() {
    let predictor = predictor(&conv_net(), 2);
    let images = images(45);
    let expected = predict(&predictor, &images);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(predict(&predictor, &images), expected);
                }
            });
        }
    });
}

#[test]
fn inputs_and_outputs_of_the_wrong_size_are_refused() {
    let model = dense_net();
    let predictor = predictor(&model, 1);
    let mut output = [0.0; 6];
    let mut message = |inputs: &[&[f32]], rows| {
        predictor.predict(inputs, rows, &mut output).unwrap_err().to_string()
    };
    assert!(message(&[&[0.0; 9]], 2).contains("input: expected 10 floats, got 9"));
    assert!(message(&[&[0.0; 15]], 3).contains("output: expected 9 floats, got 6"));
    assert!(message(&[], 2).contains("number of inputs is 0 for 1 inputs"));
    let weights = Arc::new(Buffer::new(4).unwrap());
    assert!(Predictor::new(model, weights, 1).is_err());
}
