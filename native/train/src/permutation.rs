//! The order in which a shard's rows are used in an epoch.

use crate::slices::slice;
use std::ops::Range;
use tensor::random::{Philox, Purpose};

/// The order of the `rows` rows of `shard` in `epoch`: a Fisher–Yates shuffle whose numbers are
/// keyed by (seed, epoch, shard), so it is the same on any machine.
///
/// The datasets' canonical order makes row numbers mean the same everywhere. At iteration `i` of
/// the `I` of an epoch the shard takes the rows `order[i·n/I .. (i+1)·n/I]` (see
/// [`rows_of_iteration`]), so every row is used exactly once per epoch.
///
/// Source: Durstenfeld, "Algorithm 235: Random permutation", 1964.
///
/// ```
/// let mut order = train::permutation::permutation(42, 0, 3, 100);
/// assert_ne!(order, train::permutation::permutation(42, 1, 3, 100));
/// order.sort();
/// assert_eq!(order, (0..100).collect::<Vec<u32>>());
/// ```
pub fn permutation(seed: u64, epoch: u64, shard: usize, rows: usize) -> Vec<u32> {
    let numbers = Philox::new(seed, Purpose::Shuffle, epoch, shard as u64);
    let mut order: Vec<u32> = (0..rows as u32).collect();
    for last in (1..rows).rev() {
        order.swap(last, numbers.below(last as u64, last as u64 + 1) as usize);
    }
    order
}

/// Iterations of an epoch over `rows` rows in batches of `batch`: `⌈rows / batch⌉`, at least 1.
pub fn iterations(rows: usize, batch: usize) -> usize {
    rows.div_ceil(batch.max(1)).max(1)
}

/// The part of a shard's permutation that iteration `index` of the `of` of an epoch uses.
pub fn rows_of_iteration(index: usize, of: usize, rows: usize) -> Range<usize> {
    slice(index, of, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_is_used_once_per_epoch_with_any_batch_and_any_shards(
            shards in proptest::collection::vec(0usize..300, 1..9),
            batch in 1usize..400,
            epoch in 0u64..3,
        ) {
            let of = iterations(shards.iter().sum(), batch);
            for (shard, &rows) in shards.iter().enumerate() {
                let order = permutation(7, epoch, shard, rows);
                let mut used = vec![0; rows];
                for index in 0..of {
                    for &row in &order[rows_of_iteration(index, of, rows)] {
                        used[row as usize] += 1;
                    }
                }
                prop_assert!(used.iter().all(|&times| times == 1));
            }
        }
    }

    #[test]
    fn the_order_differs_by_seed_epoch_and_shard() {
        let base = permutation(1, 0, 0, 50);
        for other in [permutation(2, 0, 0, 50), permutation(1, 1, 0, 50), permutation(1, 0, 1, 50)]
        {
            assert_ne!(base, other);
        }
        assert_eq!(base, permutation(1, 0, 0, 50));
    }

    #[test]
    fn every_place_is_equally_likely() {
        let (trials, rows) = (4000u64, 5);
        let mut counts = [[0u32; 5]; 5];
        for seed in 0..trials {
            for (place, &row) in permutation(seed, 0, 0, rows).iter().enumerate() {
                counts[place][row as usize] += 1;
            }
        }
        // 800 expected in each cell; 5 standard deviations of the binomial are 126.
        assert!(counts.iter().flatten().all(|&count| count.abs_diff(800) < 126), "{counts:?}");
    }

    #[test]
    fn batch_1000_on_7_shards_needs_60_iterations_for_60000_rows() {
        assert_eq!(iterations(60_000, 1000), 60);
        assert_eq!(iterations(60_001, 1000), 61);
        assert_eq!(iterations(0, 1000), 1);
    }
}
