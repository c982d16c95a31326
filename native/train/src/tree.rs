//! The fixed binary tree over shard numbers, along which gradients are summed.
//!
//! Float addition is not associative, so the order of a sum decides its bits. The order used here
//! depends on the number of shards S alone: the sum of shards `[a, a + 2^l)` is the sum of its left
//! half plus the sum of its right half, for every aligned block (`a` a multiple of `2^l`), blocks
//! being clipped at S. A task that hosts some shards sums the largest whole blocks among them (its
//! *roots*); whoever receives the roots of all tasks finishes the same tree. Hence the same bits,
//! whichever task hosts which shard.

use crate::Error;
use std::ops::Range;

/// A block of the tree: the shards `[first, first + 2^level)`, clipped at the number of shards.
///
/// `level` is the smallest one that covers these shards, so equal blocks compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root {
    /// The first shard, a multiple of `2^level`.
    pub first: usize,
    /// The height of the block: 0 is one shard.
    pub level: u32,
}

impl Root {
    /// The block that holds all shards.
    pub fn top(shards: usize) -> Root {
        Root { first: 0, level: shards.max(1).next_power_of_two().trailing_zeros() }
    }

    /// The shards of this block in a tree over `shards` shards.
    pub fn shards(self, shards: usize) -> Range<usize> {
        let width = 1usize.checked_shl(self.level).unwrap_or(usize::MAX);
        self.first.min(shards)..self.first.saturating_add(width).min(shards)
    }

    /// The two halves of a block of level 1 or more; both hold at least one shard.
    fn halves(self, shards: usize) -> (Root, Root) {
        let level = self.level - 1;
        let middle = self.first + (1 << level);
        let fits = Root::top(shards - middle).level;
        (Root { first: self.first, level }, Root { first: middle, level: level.min(fits) })
    }
}

/// The maximal blocks whose shards are all among `hosted`, in ascending order.
///
/// `hosted` may come in any order and need not be contiguous; numbers from `shards` on are ignored.
///
/// ```
/// use train::tree::{Root, roots};
/// let expected = [Root { first: 1, level: 0 }, Root { first: 2, level: 1 }];
/// assert_eq!(roots(1..4, 8), expected);
/// assert_eq!(roots(0..5, 5), [Root { first: 0, level: 3 }]);
/// ```
pub fn roots(hosted: impl IntoIterator<Item = usize>, shards: usize) -> Vec<Root> {
    let mut hosted: Vec<usize> = hosted.into_iter().filter(|&shard| shard < shards).collect();
    hosted.sort_unstable();
    hosted.dedup();
    let mut found = Vec::new();
    if !hosted.is_empty() {
        collect_roots(Root::top(shards), shards, &hosted, &mut found);
    }
    found
}

fn collect_roots(block: Root, shards: usize, hosted: &[usize], found: &mut Vec<Root>) {
    if hosted.len() == block.shards(shards).len() {
        found.push(block);
    } else if !hosted.is_empty() {
        let (left, right) = block.halves(shards);
        let split = hosted.partition_point(|&shard| shard < right.first);
        collect_roots(left, shards, &hosted[..split], found);
        collect_roots(right, shards, &hosted[split..], found);
    }
}

/// The additions that sum all shards of `root` in place, in the tree's order: blocks, each with the
/// first shard of its right half.
///
/// Doing `sum[block.first] += sum[right]` for each of them leaves the sum of `root` in
/// `sum[root.first]`.
pub fn additions(root: Root, shards: usize) -> Vec<(Root, usize)> {
    fn visit(block: Root, shards: usize, pairs: &mut Vec<(Root, usize)>) {
        if block.level > 0 {
            let (left, right) = block.halves(shards);
            visit(left, shards, pairs);
            visit(right, shards, pairs);
            pairs.push((block, right.first));
        }
    }
    let mut pairs = Vec::new();
    visit(root, shards, &mut pairs);
    pairs
}

/// One step of a [`Reduction`]; accumulators form a stack, addressed by depth.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// `accumulator[depth] = input[root]`
    Load { depth: usize, root: usize },
    /// `accumulator[depth] += input[root]`, which makes it the sum of `block`
    Add { depth: usize, root: usize, block: Root },
    /// `accumulator[depth] += accumulator[depth + 1]`, which makes it the sum of `block`
    Merge { depth: usize, block: Root },
}

/// The compiled order in which the roots of all tasks are summed to the whole.
#[derive(Debug)]
pub struct Reduction {
    steps: Vec<Step>,
    depth: usize,
}

impl Reduction {
    /// Compiles the sum of `roots`, which must cover each of the `shards` shards exactly once.
    ///
    /// # Errors
    /// [`Error::Roots`] when a shard is missing or covered twice.
    pub fn new(roots: &[Root], shards: usize) -> Result<Self, Error> {
        let mut covered = 0;
        let mut order: Vec<usize> = (0..roots.len()).collect();
        order.sort_by_key(|&index| roots[index]);
        for &index in &order {
            let block = roots[index].shards(shards);
            if block.start != covered || block.is_empty() {
                return Err(Error::Roots { shards, shard: covered.min(block.start) });
            }
            covered = block.end;
        }
        if covered != shards || shards == 0 {
            return Err(Error::Roots { shards, shard: covered });
        }
        let mut reduction = Reduction { steps: Vec::new(), depth: 0 };
        reduction.compile(Root::top(shards), 0, roots, shards)?;
        Ok(reduction)
    }

    fn compile(
        &mut self,
        block: Root,
        depth: usize,
        roots: &[Root],
        shards: usize,
    ) -> Result<(), Error> {
        self.depth = self.depth.max(depth + 1);
        if let Some(root) = roots.iter().position(|&root| root == block) {
            self.steps.push(Step::Load { depth, root });
            return Ok(());
        }
        if block.level == 0 {
            return Err(Error::Roots { shards, shard: block.first });
        }
        let (left, right) = block.halves(shards);
        self.compile(left, depth, roots, shards)?;
        match roots.iter().position(|&root| root == right) {
            Some(root) => self.steps.push(Step::Add { depth, root, block }),
            None => {
                self.compile(right, depth + 1, roots, shards)?;
                self.steps.push(Step::Merge { depth, block });
            }
        }
        Ok(())
    }

    /// The floats of scratch memory that a sum of `len` elements needs.
    pub fn scratch(&self, len: usize) -> usize {
        self.depth * len
    }

    /// Sums the elements `at` of all inputs, which stand in the order of the roots given to `new`;
    /// `round` is called with each block of which a sum was made, and that sum.
    ///
    /// `scratch` has at least [`Reduction::scratch`]`(at.len())` floats; the result lies in it or,
    /// with a single root, in that root's input.
    pub fn sum<'a>(
        &self,
        inputs: &[&'a [f32]],
        at: Range<usize>,
        scratch: &'a mut [f32],
        round: impl Fn(Root, &mut [f32]),
    ) -> &'a [f32] {
        if let [Step::Load { root, .. }] = self.steps[..] {
            return &inputs[root][at];
        }
        let len = at.len();
        for &step in &self.steps {
            match step {
                Step::Load { depth, root } => {
                    scratch[depth * len..][..len].copy_from_slice(&inputs[root][at.clone()]);
                }
                Step::Add { depth, root, block } => {
                    let into = &mut scratch[depth * len..][..len];
                    add(into, &inputs[root][at.clone()]);
                    round(block, into);
                }
                Step::Merge { depth, block } => {
                    let (into, from) = scratch[depth * len..][..2 * len].split_at_mut(len);
                    add(into, from);
                    round(block, into);
                }
            }
        }
        &scratch[..len]
    }
}

/// `into[i] += from[i]`.
pub fn add(into: &mut [f32], from: &[f32]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of the order, as plainly as can be: a recursive sum over shard numbers.
    fn definition(values: &[f32], first: usize, width: usize) -> f32 {
        if width == 1 {
            return values[first];
        }
        let left = definition(values, first, width / 2);
        if first + width / 2 < values.len() {
            left + definition(values, first + width / 2, width / 2)
        } else {
            left
        }
    }

    /// Sums `values` (one per shard) as tasks would do that host the shards given by `owner`.
    fn distributed(values: &[f32], owner: &[usize], tasks: usize) -> f32 {
        let shards = values.len();
        let mut sums = values.to_vec();
        let mut all = Vec::new();
        for task in 0..tasks {
            for root in roots((0..shards).filter(|&shard| owner[shard] == task), shards) {
                for (block, right) in additions(root, shards) {
                    sums[block.first] += sums[right];
                }
                all.push(root);
            }
        }
        let inputs: Vec<[f32; 1]> = all.iter().map(|root| [sums[root.first]]).collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(|input| &input[..]).collect();
        let reduction = Reduction::new(&all, shards).unwrap();
        let mut scratch = vec![f32::NAN; reduction.scratch(1)];
        reduction.sum(&inputs, 0..1, &mut scratch, |_, _| ())[0]
    }

    proptest! {
        #[test]
        fn any_distribution_of_shards_over_tasks_gives_the_same_bits(
            shards in proptest::collection::vec((-1e6f32..1e6, 0usize..5), 1..70)
        ) {
            let (values, owner): (Vec<f32>, Vec<usize>) = shards.into_iter().unzip();
            let expected = definition(&values, 0, values.len().next_power_of_two());
            prop_assert_eq!(distributed(&values, &owner, 5).to_bits(), expected.to_bits());
            prop_assert_eq!(
                distributed(&values, &vec![0; values.len()], 1).to_bits(),
                expected.to_bits()
            );
        }

        #[test]
        fn roots_of_a_range_are_disjoint_whole_and_maximal(
            shards in 1usize..100, a in 0usize..100, b in 0usize..100
        ) {
            let range = a.min(b).min(shards)..a.max(b).min(shards);
            let found = roots(range.clone(), shards);
            let covered: Vec<usize> = found.iter().flat_map(|root| root.shards(shards)).collect();
            prop_assert_eq!(covered, range.clone().collect::<Vec<_>>());
            prop_assert!(found.len() <= 2 * shards.ilog2() as usize + 1);
        }
    }

    #[test]
    fn a_missing_or_doubled_shard_is_named() {
        let leaf = |first| Root { first, level: 0 };
        for (roots, shard) in [
            (vec![leaf(0), leaf(2)], 1),
            (vec![leaf(0), leaf(1)], 2),
            (vec![leaf(0), leaf(1), leaf(1), leaf(2)], 1),
            (vec![Root { first: 0, level: 1 }, leaf(1), leaf(2)], 1),
        ] {
            match Reduction::new(&roots, 3) {
                Err(Error::Roots { shards: 3, shard: named }) => assert_eq!(named, shard),
                other => panic!("{roots:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn one_root_is_passed_through_without_a_copy() {
        let input = [1.0f32, 2.0, 3.0];
        let reduction = Reduction::new(&[Root::top(5)], 5).unwrap();
        let sum = reduction.sum(&[&input], 1..3, &mut [], |_, _| ());
        assert_eq!(sum.as_ptr(), input[1..].as_ptr());
    }
}
