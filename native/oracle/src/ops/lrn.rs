//! Local response normalization.

use crate::Array;

/// y\[n, c, …\] = x\[n, c, …\] · (bias + alpha / size · Σ x\[n, c', …\]²)^−beta over the channels c' from
/// c − ⌊(size − 1) / 2⌋ to c + ⌈(size − 1) / 2⌉.
pub fn lrn(x: &Array, size: usize, [alpha, beta, bias]: [f64; 3]) -> Array {
    Array::from_fn(&x.dims, |at| {
        let first = at[1].saturating_sub((size - 1) / 2);
        let last = (at[1] + size / 2).min(x.dims[1] - 1);
        let square = |c: usize| {
            let mut other = at.to_vec();
            other[1] = c;
            x.at(&other).powi(2)
        };
        let sum: f64 = (first..=last).map(square).sum();
        x.at(at) * (bias + alpha / size as f64 * sum).powf(-beta)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_normalized_by_its_neighbours_only() {
        let x = Array::new(&[1, 3, 1], vec![1.0, 2.0, 3.0]);
        let y = lrn(&x, 3, [3.0, 1.0, 1.0]);
        let expected = [1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0];
        assert!(y.distance(&Array::new(&[1, 3, 1], expected.to_vec())) < 1e-12);
    }
}
