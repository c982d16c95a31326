//! How numbers are distributed, in the buckets of TensorFlow's histograms.

use std::sync::LazyLock;

/// Upper ends of all buckets, rising: ±1e-12 · 1.1^k up to 1e20, 0, and the largest numbers.
static LIMITS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let growing = |limit: &f64| Some(limit * 1.1);
    let mut positive: Vec<f64> =
        std::iter::successors(Some(1e-12), growing).take_while(|&limit| limit < 1e20).collect();
    positive.push(f64::MAX);
    let negative = positive.iter().rev().map(|limit| -limit);
    negative.chain([0.0]).chain(positive.iter().copied()).collect()
});

/// A bucket that is not empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Least number of the bucket.
    pub low: f64,
    /// What all numbers of the bucket are below.
    pub high: f64,
    /// How many numbers there are.
    pub count: f64,
}

/// How numbers are distributed; numbers that are not finite are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Least number; 0 if there is none.
    pub min: f64,
    /// Greatest number; 0 if there is none.
    pub max: f64,
    /// How many numbers there are.
    pub num: f64,
    /// Their sum, added in their order.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_squares: f64,
    /// The buckets that are not empty, rising.
    pub buckets: Vec<Bucket>,
}

impl Histogram {
    /// That of `values`.
    ///
    /// ```
    /// let histogram = train::Histogram::of(&[0.5, -2.0, 0.5]);
    /// assert_eq!((histogram.min, histogram.max, histogram.num), (-2.0, 0.5, 3.0));
    /// assert_eq!(histogram.buckets.len(), 2);
    /// ```
    pub fn of(values: &[f32]) -> Histogram {
        let limits = &*LIMITS;
        let mut counts = vec![0u64; limits.len()];
        let mut histogram = Histogram::default();
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value))
        {
            counts[limits.partition_point(|&limit| limit <= value)] += 1;
            (min, max) = (min.min(value), max.max(value));
            histogram.num += 1.0;
            histogram.sum += value;
            histogram.sum_squares += value * value;
        }
        if histogram.num > 0.0 {
            (histogram.min, histogram.max) = (min, max);
        }
        // No f32 is below the first limit.
        histogram.buckets = (1..limits.len())
            .filter(|&i| counts[i] > 0)
            .map(|i| Bucket { low: limits[i - 1], high: limits[i], count: counts[i] as f64 })
            .collect();
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_its_bucket() {
        let values: Vec<f32> = (-80..80)
            .map(|power| 1.7f32.powi(power) * if power % 2 == 0 { 1.0 } else { -1.0 })
            .chain([0.0, -0.0, f32::MIN, f32::MAX, f32::MIN_POSITIVE, 1e-12, -1e-12])
            .collect();
        let histogram = Histogram::of(&values);
        assert_eq!(histogram.num, values.len() as f64);
        for pair in histogram.buckets.windows(2) {
            assert!(pair[0].high <= pair[1].low);
        }
        for bucket in &histogram.buckets {
            let inside = |&&value: &&f32| (bucket.low..bucket.high).contains(&f64::from(value));
            assert_eq!(bucket.count, values.iter().filter(inside).count() as f64);
            assert!(bucket.count > 0.0);
        }
        let counted: f64 = histogram.buckets.iter().map(|bucket| bucket.count).sum();
        assert_eq!(counted, histogram.num);
    }

    #[test]
    fn sums_are_those_of_the_numbers_one_after_the_other() {
        let values: Vec<f32> =
            (0..10_000).map(|i| ((i * 7919) % 1000) as f32 / 997.0 - 0.4).collect();
        let histogram = Histogram::of(&values);
        let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
        let squares: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        assert_eq!((histogram.sum, histogram.sum_squares), (sum, squares));
        assert_eq!(histogram.min, f64::from(-0.4f32));
    }

    #[test]
    fn nothing_and_numbers_that_are_not_finite_have_an_empty_histogram() {
        assert_eq!(Histogram::of(&[]), Histogram::default());
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(Histogram::of(&odd), Histogram::default());
    }
}
