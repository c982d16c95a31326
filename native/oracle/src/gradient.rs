//! Gradients without derivation.

use crate::Array;

/// The gradient of a scalar function by central differences: `(f(x + h·eᵢ) - f(x - h·eᵢ)) / 2h`.
///
/// The error is of order `h²` (the function's curvature) plus `1e-16/h` (rounding); `h = 1e-5` is
/// near the best for smooth functions of order 1. At a kink (ReLU at 0, ties of a maximum) the
/// result is the mean of the two slopes, so test inputs must keep away from kinks by more than `h`.
///
/// ```
/// use oracle::{Array, gradient::finite_differences};
/// let at = Array::new(&[2], vec![3.0, -1.0]);
/// let gradient = finite_differences(|x| x.dot(x), &at, 1e-5);
/// assert!((gradient.data[0] - 6.0).abs() < 1e-8 && (gradient.data[1] + 2.0).abs() < 1e-8);
/// ```
pub fn finite_differences(mut f: impl FnMut(&Array) -> f64, at: &Array, h: f64) -> Array {
    let mut x = at.clone();
    let mut gradient = Array::zeros(&at.dims);
    for i in 0..at.data.len() {
        x.data[i] = at.data[i] + h;
        let above = f(&x);
        x.data[i] = at.data[i] - h;
        let below = f(&x);
        x.data[i] = at.data[i];
        gradient.data[i] = (above - below) / (2.0 * h);
    }
    gradient
}

/// Asserts that `backward` is the gradient of `Σ weight · forward(x)` at `at`.
#[cfg(test)]
pub(crate) fn assert_gradient(
    forward: impl Fn(&Array) -> Array,
    at: &Array,
    weight: &Array,
    backward: &Array,
) {
    let expected = finite_differences(|x| forward(x).dot(weight), at, 1e-5);
    let distance = backward.distance(&expected);
    // Values and curvatures of the test cases are of order 1: see `finite_differences`.
    assert!(distance < 1e-7, "backward and finite differences differ by {distance}");
}
