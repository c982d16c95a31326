//! Products with a matrix whose columns lie in panels, so that the sums of some rows stay in
//! registers.

use std::array;

/// Columns of a panel: two vectors of 16.
pub(crate) const PANEL: usize = 32;

/// Floats of a matrix in panels.
pub(crate) fn packed(rows: usize, columns: usize) -> usize {
    rows * columns.next_multiple_of(PANEL)
}

/// How many of `left` rows to work on at a time, where there are registers for `most`.
#[inline(always)]
pub(crate) fn block(left: usize, most: usize) -> usize {
    if left < most { left.min(2) } else { most }
}

/// Adds Σₖ numbers\[r\]\[k\] · weights\[k\] to the sums of each row, in the order of k; weights beyond
/// the numbers are not read.
#[inline(always)]
pub(crate) fn accumulate<const R: usize>(
    sums: &mut [[f32; PANEL]; R],
    numbers: [&[f32]; R],
    weights: &[[f32; PANEL]],
) {
    let mut kept = *sums;
    let count = numbers[0].len().min(weights.len());
    let numbers = numbers.map(|numbers| &numbers[..count]);
    for (k, weights) in weights[..count].iter().enumerate() {
        for (sums, numbers) in kept.iter_mut().zip(numbers) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = numbers[k].mul_add(*weight, *sum);
            }
        }
    }
    *sums = kept;
}

/// Packs rows that begin `stride` apart and have `columns` numbers.
pub(crate) fn pack(rows: &[f32], stride: usize, columns: usize, panels: &mut [f32]) {
    let count = panels.len() / columns.next_multiple_of(PANEL).max(1);
    for (number, panel) in panels.chunks_exact_mut((count * PANEL).max(1)).enumerate() {
        let (from, n) = (number * PANEL, PANEL.min(columns - number * PANEL));
        for (k, to) in panel.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
            to[..n].copy_from_slice(&rows[k * stride + from..][..n]);
            to[n..].fill(0.0);
        }
    }
}

/// Packs the columns that these `count` rows become in the transposed matrix.
pub(crate) fn pack_transposed(
    rows: &[f32],
    stride: usize,
    [count, columns]: [usize; 2],
    panels: &mut [f32],
) {
    for (number, panel) in panels.chunks_exact_mut((columns * PANEL).max(1)).enumerate() {
        let panel = panel.as_chunks_mut::<PANEL>().0;
        for j in 0..PANEL {
            let row = number * PANEL + j;
            if row < count {
                let row = &rows[row * stride..][..columns];
                panel.iter_mut().zip(row).for_each(|(to, number)| to[j] = *number);
            } else {
                panel.iter_mut().for_each(|to| to[j] = 0.0);
            }
        }
    }
}

/// y = factor · a · b: rows of `a` begin `a_stride` apart and have as many numbers as b has rows,
/// b lies in panels, rows of y have `columns` numbers and begin `y_stride` apart.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+fma",
))]
pub(crate) fn product(
    factor: f32,
    a: &[f32],
    [count, depth, a_stride]: [usize; 3],
    panels: &[f32],
    y: &mut [f32],
    [columns, y_stride]: [usize; 2],
) {
    // As many sums as there are registers for.
    let most = if multiversion::target::target_cfg_f!(target_feature = "avx512f") { 8 } else { 2 };
    let mut row = 0;
    while row < count {
        let rows = block(count - row, most);
        let (a, y) = (&a[row * a_stride..], &mut y[row * y_stride..]);
        match rows {
            8 => tile::<8>(factor, a, [depth, a_stride], panels, y, [columns, y_stride]),
            2 => tile::<2>(factor, a, [depth, a_stride], panels, y, [columns, y_stride]),
            _ => tile::<1>(factor, a, [depth, a_stride], panels, y, [columns, y_stride]),
        }
        row += rows;
    }
}

#[inline(always)]
fn tile<const R: usize>(
    factor: f32,
    a: &[f32],
    [depth, a_stride]: [usize; 2],
    panels: &[f32],
    y: &mut [f32],
    [columns, y_stride]: [usize; 2],
) {
    let numbers: [&[f32]; R] = array::from_fn(|r| &a[r * a_stride..][..depth]);
    let panels = panels.as_chunks::<PANEL>().0.chunks_exact(depth.max(1));
    for (number, weights) in panels.enumerate() {
        let mut sums = [[0.0; PANEL]; R];
        accumulate(&mut sums, numbers, weights);
        let (from, n) = (number * PANEL, PANEL.min(columns - number * PANEL));
        for (r, sums) in sums.iter().enumerate() {
            let y = &mut y[r * y_stride + from..][..n];
            y.iter_mut().zip(sums).for_each(|(y, sum)| *y = factor * sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_in_panels_equal_plain_ones_for_any_sizes() {
        for (count, depth, columns) in [(1, 1, 1), (3, 5, 31), (11, 7, 33), (17, 64, 64)] {
            let a: Vec<f32> = (0..count * (depth + 1)).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..depth * (columns + 2)).map(|i| (i as f32 * 0.3).cos()).collect();
            let at = |k: usize, j: usize| b[k * (columns + 2) + j];
            let transposed: Vec<f32> =
                (0..columns).flat_map(|j| (0..depth).map(move |k| at(k, j))).collect();
            let mut panels = vec![f32::NAN; packed(depth, columns)];
            for way in 0..2 {
                match way {
                    0 => pack(&b, columns + 2, columns, &mut panels),
                    _ => pack_transposed(&transposed, depth, [columns, depth], &mut panels),
                }
                let mut y = vec![9.0; count * (columns + 3)];
                product(
                    0.5,
                    &a,
                    [count, depth, depth + 1],
                    &panels,
                    &mut y,
                    [columns, columns + 3],
                );
                for (i, row) in y.chunks(columns + 3).enumerate() {
                    for (j, y) in row[..columns].iter().enumerate() {
                        let sum: f32 = (0..depth).map(|k| a[i * (depth + 1) + k] * at(k, j)).sum();
                        assert!((y - 0.5 * sum).abs() < 1e-5, "{count} {depth} {columns}: {i} {j}");
                    }
                    assert_eq!(row[columns..], [9.0; 3]);
                }
            }
        }
    }
}
