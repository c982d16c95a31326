/// Elements that are summed side by side.
const LANES: usize = 8;

/// `Σ a·b` in f64: element i is added to sum i mod 8, the 8 sums are added in order at the end.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let (blocks_a, blocks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = blocks_a.remainder().iter().zip(blocks_b.remainder());
    for (a, b) in blocks_a.zip(blocks_b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] as f64 * b[lane] as f64;
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(rest) {
        *sum += a as f64 * b as f64;
    }
    sums.iter().sum()
}
