//! Cutting rows into the few batch sizes for which plans are compiled.

use crate::slices::slice;
use std::ops::Range;

/// The sizes below the largest one. Each size costs one plan and one copy of the weights in its
/// kernels' layouts, so there are few; each is large enough to use a kernel well or is a single row.
const SMALL: [usize; 2] = [8, 1];

/// Cuts `0..rows` into batches of `largest`, then of 8, then of 1 row.
///
/// No batch is padded, and any number of rows needs at most three plans.
pub(crate) fn batches(rows: usize, largest: usize) -> impl Iterator<Item = Range<usize>> {
    let largest = largest.max(1);
    let mut begin = 0;
    std::iter::from_fn(move || {
        let most = largest.min(rows - begin);
        let size = [largest].into_iter().chain(SMALL).find(|&size| size <= most)?;
        begin += size;
        Some(begin - size..begin)
    })
}

/// Cuts `0..rows` into the fewest parts of at most `most` rows that differ by at most one row; `None` is
/// one part.
///
/// No part is much smaller than the others: batch normalization needs many rows.
pub(crate) fn parts(rows: usize, most: Option<usize>) -> impl Iterator<Item = Range<usize>> {
    let count = most.map_or(1, |most| rows.div_ceil(most.max(1)));
    (0..count).map(move |n| slice(n, count, rows)).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_cover_all_rows_once_and_differ_by_at_most_one(
            rows in 0usize..2000, most in 1usize..300
        ) {
            let mut end = 0;
            let mut sizes = std::collections::BTreeSet::new();
            for part in parts(rows, Some(most)) {
                prop_assert_eq!(part.start, end);
                end = part.end;
                sizes.insert(part.len());
            }
            prop_assert_eq!(end, rows);
            prop_assert!(sizes.iter().all(|&size| size <= most));
            prop_assert!(sizes.last().unwrap_or(&0) - sizes.first().unwrap_or(&0) <= 1);
            prop_assert_eq!(parts(rows, None).count(), rows.min(1));
        }

        #[test]
        fn batches_cover_all_rows_once_with_at_most_three_sizes(
            rows in 0usize..2000, largest in 1usize..300
        ) {
            let mut end = 0;
            let mut sizes = std::collections::BTreeSet::new();
            for batch in batches(rows, largest) {
                prop_assert_eq!(batch.start, end);
                end = batch.end;
                sizes.insert(batch.len());
            }
            prop_assert_eq!(end, rows);
            prop_assert!(sizes.len() <= 3);
            prop_assert!(sizes.into_iter().all(|size| size <= largest));
        }
    }
}
