//! Batch normalization over all dimensions but the second (channels).

use crate::Array;
use crate::array::indices;

/// What batch normalization in training gives.
#[derive(Clone, Debug)]
pub struct Training {
    /// The normalized input: `[n, c, …]`.
    pub y: Array,
    /// The running mean after this batch: `[c]`.
    pub running_mean: Array,
    /// The running variance after this batch: `[c]`.
    pub running_var: Array,
}

/// `y = scale · (x - mean) / √(var + epsilon) + bias` with given statistics (inference).
///
/// - x: `[n, c, …]`; scale, bias, mean, var: `[c]`
pub fn inference(
    x: &Array,
    scale: &Array,
    bias: &Array,
    mean: &Array,
    var: &Array,
    epsilon: f64,
) -> Array {
    Array::from_fn(&x.dims, |i| {
        let c = i[1];
        let normalized = (x.at(i) - mean.data[c]) / (var.data[c] + epsilon).sqrt();
        scale.data[c] * normalized + bias.data[c]
    })
}

/// The gradients by (x, scale, bias) of a scalar whose gradient by `inference(…)` is `dy`.
pub fn inference_backward(
    x: &Array,
    scale: &Array,
    mean: &Array,
    var: &Array,
    epsilon: f64,
    dy: &Array,
) -> (Array, Array, Array) {
    let root = var.map(|var| (var + epsilon).sqrt());
    let dx = Array::from_fn(&x.dims, |i| dy.at(i) * scale.data[i[1]] / root.data[i[1]]);
    let normalized = Array::from_fn(&x.dims, |i| (x.at(i) - mean.data[i[1]]) / root.data[i[1]]);
    (dx, channel_sum(&normalized.zip(dy, |n, dy| n * dy)), channel_sum(dy))
}

/// Normalizes with the batch's own mean and (biased) variance and moves the running statistics:
/// `running = momentum · running + (1 - momentum) · batch`, both as ONNX defines them.
#[allow(clippy::too_many_arguments, reason = "the op has five inputs and two attributes")]
pub fn training(
    x: &Array,
    scale: &Array,
    bias: &Array,
    running_mean: &Array,
    running_var: &Array,
    epsilon: f64,
    momentum: f64,
) -> Training {
    let (mean, var) = statistics(x);
    let blend = |running: f64, batch: f64| momentum * running + (1.0 - momentum) * batch;
    Training {
        y: inference(x, scale, bias, &mean, &var, epsilon),
        running_mean: running_mean.zip(&mean, blend),
        running_var: running_var.zip(&var, blend),
    }
}

/// The gradients by (x, scale, bias) of a scalar whose gradient by `training(…).y` is `dy`:
/// `dx = scale/√(var + ε) · (dy - mean(dy) - x̂ · mean(dy · x̂))`.
pub fn training_backward(
    x: &Array,
    scale: &Array,
    epsilon: f64,
    dy: &Array,
) -> (Array, Array, Array) {
    let (mean, var) = statistics(x);
    let (dx, dscale, dbias) = inference_backward(x, scale, &mean, &var, epsilon, dy);
    let count = (x.data.len() / x.dims[1]) as f64;
    let dx = Array::from_fn(&x.dims, |i| {
        let c = i[1];
        let root = (var.data[c] + epsilon).sqrt();
        let normalized = (x.at(i) - mean.data[c]) / root;
        let through_statistics = (dbias.data[c] + normalized * dscale.data[c]) / count;
        dx.at(i) - scale.data[c] / root * through_statistics
    });
    (dx, dscale, dbias)
}

/// Mean and biased variance of each channel.
fn statistics(x: &Array) -> (Array, Array) {
    let count = (x.data.len() / x.dims[1]) as f64;
    let mean = channel_sum(x).map(|sum| sum / count);
    let squares = Array::from_fn(&x.dims, |i| (x.at(i) - mean.data[i[1]]).powi(2));
    (mean, channel_sum(&squares).map(|sum| sum / count))
}

fn channel_sum(x: &Array) -> Array {
    let mut sum = Array::zeros(&x.dims[1..2]);
    indices(&x.dims).for_each(|i| sum.data[i[1]] += x.at(&i));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn training_normalizes_each_channel_and_moves_the_statistics() {
        let x = Array::new(&[2, 2], vec![1.0, 10.0, 3.0, 30.0]);
        let (one, zero) = (Array::new(&[2], vec![1.0; 2]), Array::zeros(&[2]));
        let result = training(&x, &one, &zero, &zero, &one, 0.0, 0.9);
        assert_eq!(result.y.data, [-1.0, -1.0, 1.0, 1.0]);
        let expected = Array::new(&[2], vec![0.2, 2.0]);
        assert!(result.running_mean.distance(&expected) < 1e-15);
        let expected = Array::new(&[2], vec![1.0, 10.9]);
        assert!(result.running_var.distance(&expected) < 1e-14);
    }

    #[test]
    fn backward_is_the_gradient() {
        let dims = [3, 2, 2, 3];
        let (x, dy) = (Array::sample(&dims, 1), Array::sample(&dims, 2));
        let channel = |seed| Array::sample(&[2], seed);
        let (scale, bias, mean, var) = (channel(3), channel(4), channel(5), channel(6));
        let var = var.map(|v| v + 1.5);
        let (dx, dscale, dbias) = training_backward(&x, &scale, 1e-3, &dy);
        let run = |x: &Array, s: &Array, b: &Array| training(x, s, b, &mean, &var, 1e-3, 0.9).y;
        assert_gradient(|x| run(x, &scale, &bias), &x, &dy, &dx);
        assert_gradient(|s| run(&x, s, &bias), &scale, &dy, &dscale);
        assert_gradient(|b| run(&x, &scale, b), &bias, &dy, &dbias);
        let (dx, dscale, dbias) = inference_backward(&x, &scale, &mean, &var, 1e-3, &dy);
        let run = |x: &Array, s: &Array, b: &Array| inference(x, s, b, &mean, &var, 1e-3);
        assert_gradient(|x| run(x, &scale, &bias), &x, &dy, &dx);
        assert_gradient(|s| run(&x, s, &bias), &scale, &dy, &dscale);
        assert_gradient(|b| run(&x, &scale, b), &bias, &dy, &dbias);
    }
}
