//! Losses: one number per sample.

use super::softmax::{log_softmax, softmax};
use crate::Array;

/// `loss[n] = -log softmax(logits[n])[labels[n]]`.
///
/// - logits: `[n, classes]`; labels: `[n]`, class indices; result: `[n]`
pub fn softmax_cross_entropy(logits: &Array, labels: &Array) -> Array {
    let log = log_softmax(logits, 1);
    Array::from_fn(&labels.dims, |i| -log.at(&[i[0], labels.at(i) as usize]))
}

/// The gradient by the logits of `scale · Σ_n loss[n]`: `scale · (softmax - one_hot(label))`.
pub fn softmax_cross_entropy_backward(logits: &Array, labels: &Array, scale: f64) -> Array {
    let probability = softmax(logits, 1);
    Array::from_fn(&logits.dims, |i| {
        let hit = i[1] == labels.data[i[0]] as usize;
        scale * (probability.at(i) - f64::from(u8::from(hit)))
    })
}

/// `loss[n]` = mean over the sample's elements of `(prediction - target)²`.
///
/// - prediction, target: `[n, …]`; result: `[n]`
pub fn mean_squared_error(prediction: &Array, target: &Array) -> Array {
    let squares = prediction.zip(target, |p, t| (p - t).powi(2));
    let per_sample: usize = prediction.dims[1..].iter().product();
    let mean = |sample: &[f64]| sample.iter().sum::<f64>() / per_sample as f64;
    Array::new(&prediction.dims[..1], squares.data.chunks(per_sample).map(mean).collect())
}

/// The gradient by the prediction of `scale · Σ_n loss[n]`.
pub fn mean_squared_error_backward(prediction: &Array, target: &Array, scale: f64) -> Array {
    let per_sample: usize = prediction.dims[1..].iter().product();
    prediction.zip(target, |p, t| scale * 2.0 * (p - t) / per_sample as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn the_loss_of_equal_logits_is_the_logarithm_of_their_number() {
        let losses = softmax_cross_entropy(&Array::zeros(&[2, 4]), &Array::zeros(&[2]));
        assert!(losses.distance(&Array::new(&[2], vec![4.0f64.ln(); 2])) < 1e-15);
    }

    #[test]
    fn backward_is_the_gradient() {
        let (logits, labels) = (Array::sample(&[3, 5], 1), Array::new(&[3], vec![0.0, 4.0, 2.0]));
        let scale = Array::new(&[3], vec![0.25; 3]);
        let dx = softmax_cross_entropy_backward(&logits, &labels, 0.25);
        assert_gradient(|x| softmax_cross_entropy(x, &labels), &logits, &scale, &dx);
        let (prediction, target) = (Array::sample(&[3, 2, 2], 2), Array::sample(&[3, 2, 2], 3));
        let dx = mean_squared_error_backward(&prediction, &target, 0.25);
        assert_gradient(|x| mean_squared_error(x, &target), &prediction, &scale, &dx);
    }
}
