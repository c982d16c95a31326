//! Numbers that any language can regenerate bit by bit: splitmix64 over a counter, as in
//! `peers/detrand.py`.

use crate::Case;
use layers::Model;

const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// Word `index` of a stream.
fn raw(stream: u64, index: u64) -> u64 {
    let start = stream.wrapping_mul(0xD134_2543_DE82_EF95);
    let z = start.wrapping_add((index + 1).wrapping_mul(GOLDEN_RATIO));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `count` numbers in [−bound, bound) with one rounding to f32 each.
pub fn uniform(stream: u64, count: usize, bound: f32) -> impl Iterator<Item = f32> {
    (0..count as u64).map(move |index| {
        // 24 bits are exact in f32, and so is twice that minus 1.
        let unit = (raw(stream, index) >> 40) as f32 / 16_777_216.0;
        (unit * 2.0 - 1.0) * bound
    })
}

/// `count` integers in [0, bound).
pub fn integers(stream: u64, count: usize, bound: u64) -> impl Iterator<Item = u64> {
    (0..count as u64).map(move |index| (raw(stream, index) >> 33) % bound)
}

/// `count` values of a stream: whole numbers below `vocabulary`, or numbers in [−1, 1).
pub fn values(stream: u64, count: usize, vocabulary: Option<u64>) -> Vec<f32> {
    match vocabulary {
        // Below 2²⁴ they are exact in f32.
        Some(bound) => integers(stream, count, bound).map(|value| value as f32).collect(),
        None => uniform(stream, count, 1.0).collect(),
    }
}

/// The inputs of `batch` samples, sample after sample, as the peers' benches make them.
pub fn inputs(case: Case, model: &Model, batch: usize) -> Vec<Vec<f32>> {
    let inputs = model.input_shapes().iter().zip(case.vocabularies()).zip(1000..);
    inputs.map(|((shape, bound), stream)| values(stream, batch * shape.len(), *bound)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_those_of_the_golden_files() {
        let inputs: Vec<f32> = uniform(1000, 4, 1.0).collect();
        assert_eq!(inputs, [-0.201_484_68, -0.764_134_9, -0.838_242_53, -0.280_429_36]);
        let labels: Vec<u64> = integers(1099, 8, 10).collect();
        assert_eq!(labels, [3, 4, 3, 7, 9, 9, 0, 8]);
    }
}
