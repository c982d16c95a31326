use std::ops::Range;

/// Elements that are computed at a time.
const BLOCK: usize = 16;

/// What an iteration finds of some neighbouring weights.
///
/// State is laid out slot after slot, each as long as the slice: `state[slot · slice + position]`.
#[derive(Clone, Debug)]
pub(crate) struct Old<'a> {
    /// Number of iterations that the state has seen.
    pub iteration: u64,
    /// Dimensions of the parameter that they belong to, for rules with sums per parameter.
    pub rank: usize,
    /// Sum of all shards' gradients.
    pub gradient: &'a [f32],
    pub weights: &'a [f32],
    /// One slice per slot of the rule.
    pub state: Vec<&'a [f32]>,
}

/// One chunk of a slice, with all a rule needs to update it.
#[derive(Debug)]
pub(crate) struct Chunk<'a> {
    /// Before the iteration; the gradient is clipped.
    pub old: Old<'a>,
    /// Weights after the iteration.
    pub weights: &'a mut [f32],
    /// State after it, one slice per slot of the rule.
    pub state: Vec<&'a mut [f32]>,
    /// The rule's [`Sums`](super::Sums) over the parameter or group; their gradient is not yet
    /// clipped by its norm.
    pub totals: &'a [f64],
    /// The factor by which the norm of the gradient was clipped.
    pub clip_norm: f64,
}

impl Old<'_> {
    /// The part `at`.
    pub fn part(&self, at: Range<usize>) -> Old<'_> {
        Old {
            iteration: self.iteration,
            rank: self.rank,
            gradient: &self.gradient[at.clone()],
            weights: &self.weights[at.clone()],
            state: self.state.iter().map(|slot| &slot[at.clone()]).collect(),
        }
    }

    /// The same with the first `slots` slots alone.
    pub fn with_slots(mut self, slots: usize) -> Self {
        self.state.truncate(slots);
        self
    }
}

impl Chunk<'_> {
    /// For each element, `rule(gradient, weight, state)` gives the new weight and state.
    pub(super) fn each<const N: usize>(
        &mut self,
        rule: impl Fn(f32, f32, [f32; N]) -> (f32, [f32; N]),
    ) {
        let len = self.weights.len();
        let (Some(old), Some(new)) =
            (self.old.state.first_chunk::<N>(), self.state.first_chunk_mut::<N>())
        else {
            return;
        };
        // Blocks of a fixed length in local arrays, which nothing else can point to, let the
        // compiler use vectors whatever the number of slots.
        let whole = len - len % BLOCK;
        for at in (0..whole).step_by(BLOCK) {
            let (gradient, weights) = (block(self.old.gradient, at), block(self.old.weights, at));
            let mut state: [[f32; BLOCK]; N] = std::array::from_fn(|slot| block(old[slot], at));
            let mut moved = [0.0; BLOCK];
            for i in 0..BLOCK {
                let (weight, after) =
                    rule(gradient[i], weights[i], std::array::from_fn(|slot| state[slot][i]));
                moved[i] = weight;
                for slot in 0..N {
                    state[slot][i] = after[slot];
                }
            }
            self.weights[at..at + BLOCK].copy_from_slice(&moved);
            for slot in 0..N {
                new[slot][at..at + BLOCK].copy_from_slice(&state[slot]);
            }
        }
        for i in whole..len {
            let state = std::array::from_fn(|slot| old[slot][i]);
            let (weight, after) = rule(self.old.gradient[i], self.old.weights[i], state);
            self.weights[i] = weight;
            for slot in 0..N {
                new[slot][i] = after[slot];
            }
        }
    }
}

fn block(values: &[f32], at: usize) -> [f32; BLOCK] {
    let mut block = [0.0; BLOCK];
    block.copy_from_slice(&values[at..at + BLOCK]);
    block
}
