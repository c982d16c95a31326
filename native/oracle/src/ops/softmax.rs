//! Softmax and its logarithm along one axis.

use crate::Array;

/// `y = exp(x) / Σ_axis exp(x)`.
pub fn softmax(x: &Array, axis: usize) -> Array {
    log_softmax(x, axis).map(f64::exp)
}

/// The gradient by x of a scalar whose gradient by `softmax(x, axis)` is `dy`:
/// `dx = y · (dy - Σ_axis y·dy)`.
pub fn softmax_backward(x: &Array, dy: &Array, axis: usize) -> Array {
    let y = softmax(x, axis);
    let product = y.zip(dy, |y, dy| y * dy);
    Array::from_fn(&x.dims, |i| y.at(i) * (dy.at(i) - along(&product, i, axis).sum::<f64>()))
}

/// `y = x - log Σ_axis exp(x)`, computed after subtracting the maximum so that nothing overflows.
pub fn log_softmax(x: &Array, axis: usize) -> Array {
    Array::from_fn(&x.dims, |i| {
        let max = along(x, i, axis).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = along(x, i, axis).map(|x| (x - max).exp()).sum();
        x.at(i) - max - sum.ln()
    })
}

/// The gradient by x of a scalar whose gradient by `log_softmax(x, axis)` is `dy`:
/// `dx = dy - softmax(x) · Σ_axis dy`.
pub fn log_softmax_backward(x: &Array, dy: &Array, axis: usize) -> Array {
    let y = softmax(x, axis);
    Array::from_fn(&x.dims, |i| dy.at(i) - y.at(i) * along(dy, i, axis).sum::<f64>())
}

/// The elements along `axis` through `index`.
fn along<'a>(x: &'a Array, index: &'a [usize], axis: usize) -> impl Iterator<Item = f64> + use<'a> {
    (0..x.dims[axis]).map(move |position| {
        let mut index = index.to_vec();
        index[axis] = position;
        x.at(&index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn probabilities_sum_to_one_even_for_huge_logits() {
        let x = Array::new(&[1, 3], vec![1000.0, 1000.0, -1000.0]);
        assert_eq!(softmax(&x, 1).data, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn backward_is_the_gradient_along_any_axis() {
        let (x, dy) = (Array::sample(&[3, 4, 2], 1), Array::sample(&[3, 4, 2], 2));
        for axis in 0..3 {
            let dx = softmax_backward(&x, &dy, axis);
            assert_gradient(|x| softmax(x, axis), &x, &dy, &dx);
            let dx = log_softmax_backward(&x, &dy, axis);
            assert_gradient(|x| log_softmax(x, axis), &x, &dy, &dx);
        }
    }
}
