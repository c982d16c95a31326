//! Element-wise functions; those of two arrays broadcast as in ONNX (multidirectionally).

use crate::Array;
use crate::array::indices;

/// The shape that both broadcast to: dimensions are aligned at the last, and one of 1 is repeated.
///
/// # Panics
/// If two dimensions differ and neither is 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let dim = |dims: &[usize], d: usize| {
        (d + dims.len()).checked_sub(rank).map_or(1, |position| dims[position])
    };
    (0..rank)
        .map(|d| match (dim(a, d), dim(b, d)) {
            (x, y) if x == y || y == 1 => x,
            (1, y) => y,
            _ => panic!("{a:?} and {b:?} do not broadcast"),
        })
        .collect()
}

/// The element of `x` that stands at `index` of a shape it broadcasts to.
pub fn broadcast_at(x: &Array, index: &[usize]) -> f64 {
    x.at(&own_index(&x.dims, index))
}

/// Sums `y` over the dimensions along which an array of shape `dims` was repeated to y's shape.
pub fn reduce_to(y: &Array, dims: &[usize]) -> Array {
    let mut x = Array::zeros(dims);
    indices(&y.dims).for_each(|index| *x.at_mut(&own_index(dims, &index)) += y.at(&index));
    x
}

fn own_index(dims: &[usize], index: &[usize]) -> Vec<usize> {
    let kept = index[index.len() - dims.len()..].iter().zip(dims);
    kept.map(|(&i, &dim)| if dim == 1 { 0 } else { i }).collect()
}

fn binary(a: &Array, b: &Array, f: impl Fn(f64, f64) -> f64) -> Array {
    let dims = broadcast(&a.dims, &b.dims);
    Array::from_fn(&dims, |index| f(broadcast_at(a, index), broadcast_at(b, index)))
}

/// `a + b`.
pub fn add(a: &Array, b: &Array) -> Array {
    binary(a, b, |a, b| a + b)
}

/// The gradients by a and b of a scalar whose gradient by `add(a, b)` is `dy`.
pub fn add_backward(a: &Array, b: &Array, dy: &Array) -> (Array, Array) {
    (reduce_to(dy, &a.dims), reduce_to(dy, &b.dims))
}

/// `a · b`, element by element.
pub fn mul(a: &Array, b: &Array) -> Array {
    binary(a, b, |a, b| a * b)
}

/// The gradients by a and b of a scalar whose gradient by `mul(a, b)` is `dy`.
pub fn mul_backward(a: &Array, b: &Array, dy: &Array) -> (Array, Array) {
    (reduce_to(&mul(dy, b), &a.dims), reduce_to(&mul(dy, a), &b.dims))
}

/// `max(x, 0)`.
pub fn relu(x: &Array) -> Array {
    x.map(|x| x.max(0.0))
}

/// The gradient by x of a scalar whose gradient by `relu(x)` is `dy`; 0 at x = 0.
pub fn relu_backward(x: &Array, dy: &Array) -> Array {
    x.zip(dy, |x, dy| if x > 0.0 { dy } else { 0.0 })
}

/// The hyperbolic tangent of x.
pub fn tanh(x: &Array) -> Array {
    x.map(f64::tanh)
}

/// The gradient by x of a scalar whose gradient by `tanh(x)` is `dy`.
pub fn tanh_backward(x: &Array, dy: &Array) -> Array {
    x.zip(dy, |x, dy| dy * (1.0 - x.tanh().powi(2)))
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: &Array) -> Array {
    x.map(|x| 1.0 / (1.0 + (-x).exp()))
}

/// The gradient by x of a scalar whose gradient by `sigmoid(x)` is `dy`.
pub fn sigmoid_backward(x: &Array, dy: &Array) -> Array {
    sigmoid(x).zip(dy, |y, dy| dy * y * (1.0 - y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn dimensions_of_one_are_repeated() {
        let a = Array::new(&[2, 1], vec![1.0, 2.0]);
        let b = Array::new(&[3], vec![10.0, 20.0, 30.0]);
        let sum = Array::new(&[2, 3], vec![11.0, 21.0, 31.0, 12.0, 22.0, 32.0]);
        assert_eq!(add(&a, &b), sum);
        assert_eq!(broadcast(&[], &[0, 1]), [0, 1]);
    }

    #[test]
    fn backward_of_two_arrays_is_the_gradient() {
        for (a, b) in [
            (&[2, 3][..], &[2, 3][..]),
            (&[2, 3, 4], &[3, 1]),
            (&[1, 4], &[2, 3, 1]),
            (&[], &[3, 2]),
        ] {
            let (a, b) = (Array::sample(a, 1), Array::sample(b, 2));
            let dy = Array::sample(&broadcast(&a.dims, &b.dims), 3);
            let (da, db) = add_backward(&a, &b, &dy);
            assert_gradient(|a| add(a, &b), &a, &dy, &da);
            assert_gradient(|b| add(&a, b), &b, &dy, &db);
            let (da, db) = mul_backward(&a, &b, &dy);
            assert_gradient(|a| mul(a, &b), &a, &dy, &da);
            assert_gradient(|b| mul(&a, b), &b, &dy, &db);
        }
    }

    #[test]
    fn backward_of_one_array_is_the_gradient() {
        let (x, dy) = (Array::sample(&[4, 5], 1).map(|x| 3.0 * x), Array::sample(&[4, 5], 2));
        assert_gradient(relu, &x, &dy, &relu_backward(&x, &dy));
        assert_gradient(tanh, &x, &dy, &tanh_backward(&x, &dy));
        assert_gradient(sigmoid, &x, &dy, &sigmoid_backward(&x, &dy));
    }
}
