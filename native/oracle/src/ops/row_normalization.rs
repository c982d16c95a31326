//! Normalization of rows: layer, RMS, instance and group normalization.

use crate::Array;

/// y = (x − mean) / √(variance + epsilon) of each row of so many elements, with mean 0 unless
/// `centered`; also mean and 1 / √(variance + epsilon) of each row.
pub fn rows(x: &Array, row: usize, epsilon: f64, centered: bool) -> [Vec<f64>; 3] {
    let (mut y, mut means, mut inverses) = (Vec::new(), Vec::new(), Vec::new());
    for row in x.data.chunks(row.max(1)) {
        let n = row.len() as f64;
        let mean = if centered { row.iter().sum::<f64>() / n } else { 0.0 };
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        y.extend(row.iter().map(|x| (x - mean) * inverse));
        means.push(mean);
        inverses.push(inverse);
    }
    [y, means, inverses]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_mean_zero_and_variance_one() {
        let [y, mean, inverse] = rows(&Array::new(&[2, 2], vec![1.0, 3.0, 5.0, 5.0]), 2, 0.0, true);
        assert_eq!((&y[..2], &mean[..], inverse[0]), (&[-1.0, 1.0][..], &[2.0, 5.0][..], 1.0));
        let [y, ..] = rows(&Array::new(&[1, 2], vec![3.0, 4.0]), 2, 0.0, false);
        assert!((y[0].powi(2) + y[1].powi(2) - 2.0).abs() < 1e-12);
    }
}
