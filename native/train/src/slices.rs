//! Cutting a range into nearly equal, contiguous parts: the only slicing arithmetic there is.

use std::ops::Range;

/// Part `n` of the `of` parts of `0..len`: `[⌊n·len/of⌋, ⌊(n+1)·len/of⌋)`.
///
/// The parts are contiguous, cover every index exactly once and differ in length by at most one.
/// Used for the slices of the flat parameter vector and for the rows of an iteration. An `n` beyond
/// `of` gives the empty range at `len`; `of = 0` counts as one part.
///
/// ```
/// let parts: Vec<_> = (0..3).map(|n| train::slices::slice(n, 3, 10)).collect();
/// assert_eq!(parts, [0..3, 3..6, 6..10]);
/// ```
pub fn slice(n: usize, of: usize, len: usize) -> Range<usize> {
    let of = of.max(1);
    bound(n, of, len)..bound(n.saturating_add(1), of, len)
}

/// Part `n` of the `of` parts of `0..len`, cut at multiples of `grid` alone; parts may be empty.
///
/// ```
/// let parts: Vec<_> = (0..3).map(|n| train::slices::on_grid(n, 3, 10, 4)).collect();
/// assert_eq!(parts, [0..4, 4..8, 8..10]);
/// ```
pub fn on_grid(n: usize, of: usize, len: usize, grid: usize) -> Range<usize> {
    let grid = grid.max(1);
    let cells = slice(n, of, len.div_ceil(grid));
    let bound = |cell: usize| cell.saturating_mul(grid).min(len);
    bound(cells.start)..bound(cells.end)
}

/// `⌊n·len/of⌋`, in 128 bits so that no product overflows.
fn bound(n: usize, of: usize, len: usize) -> usize {
    (n.min(of) as u128 * len as u128 / of as u128) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_cover_every_index_once_and_differ_by_at_most_one(
            of in 1usize..200, len in 0usize..100_000
        ) {
            let mut end = 0;
            for n in 0..of {
                let part = slice(n, of, len);
                prop_assert_eq!(part.start, end);
                prop_assert!(part.len() == len / of || part.len() == len / of + 1);
                end = part.end;
            }
            prop_assert_eq!(end, len);
        }
    }

    proptest! {
        #[test]
        fn slices_on_a_grid_cut_no_cell_and_cover_every_index_once(
            of in 1usize..200, len in 0usize..100_000, grid in 1usize..5000
        ) {
            let mut end = 0;
            for n in 0..of {
                let part = on_grid(n, of, len, grid);
                prop_assert_eq!(part.start, end);
                prop_assert!(part.end.is_multiple_of(grid) || part.end == len);
                end = part.end;
            }
            prop_assert_eq!(end, len);
        }
    }

    #[test]
    fn huge_lengths_do_not_overflow() {
        assert_eq!(slice(1, 2, usize::MAX), usize::MAX / 2..usize::MAX);
        assert_eq!(slice(usize::MAX, 2, 10), 10..10);
    }
}
