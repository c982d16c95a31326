//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011).
//!
//! A number depends on its key and position alone, so it is the same on any thread, in any order
//! and on any machine.

/// What a stream of random numbers is used for; part of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights.
    Weights = 1,
    /// Dropout masks.
    Dropout = 2,
    /// Order of the rows of an epoch.
    Shuffle = 3,
    /// Rounding of gradients.
    Rounding = 4,
    /// Numbers that a model asks for.
    Noise = 5,
}

/// Blocks that [`Philox::blocks`] makes at a time.
pub const BLOCKS: usize = 16;

/// A stream of random numbers, addressed by position.
///
/// ```
/// use tensor::random::{Philox, Purpose};
/// let stream = Philox::new(42, Purpose::Weights, 0, 0);
/// assert_eq!(stream.uniform(7), Philox::new(42, Purpose::Weights, 0, 0).uniform(7));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Philox {
    key: [u32; 2],
    stream: [u32; 2],
}

impl Philox {
    /// The stream of (`seed`, `purpose`, `step`, `replica`).
    pub fn new(seed: u64, purpose: Purpose, step: u64, replica: u64) -> Philox {
        // The counter has room for a position and one more word; step, replica and purpose are
        // folded into the key by a round of Philox itself, so that no two streams share counters.
        let key = [seed as u32, (seed >> 32) as u32];
        let counter = [step as u32, (step >> 32) as u32, replica as u32, purpose as u32];
        let a = rounds(counter.map(|word| [word]), key).map(|[word]| word);
        Philox { key: [a[0], a[1] ^ (replica >> 32) as u32], stream: [a[2], a[3]] }
    }

    /// Four random words of block `block`.
    pub fn block(&self, block: u64) -> [u32; 4] {
        let [a, b] = [block as u32, (block >> 32) as u32];
        rounds([[a], [b], [self.stream[0]], [self.stream[1]]], self.key).map(|[word]| word)
    }

    /// Sixty-four random numbers of 16 bits, those of blocks `8 · group` to `8 · group + 7`: block by
    /// block lie the lower halves of their first words, then the upper halves, then those of their
    /// second words, …
    pub fn halves(&self, group: u64) -> [u16; 64] {
        let block = |lane: usize| group.wrapping_mul(8).wrapping_add(lane as u64);
        let words = rounds(
            [
                std::array::from_fn(|lane| block(lane) as u32),
                std::array::from_fn(|lane| (block(lane) >> 32) as u32),
                [self.stream[0]; 8],
                [self.stream[1]; 8],
            ],
            self.key,
        );
        let mut halves = [0; 64];
        for (word, halves) in words.iter().zip(halves.chunks_exact_mut(16)) {
            for lane in 0..8 {
                halves[lane] = word[lane] as u16;
                halves[8 + lane] = (word[lane] >> 16) as u16;
            }
        }
        halves
    }

    /// The words of all blocks from `first` on, [`BLOCKS`] at a time: word `w` of block `first + b`
    /// is `words[w][b]`. Faster than [`Philox::block`], with the same words.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "a lane of eight arrays at once")]
    pub fn blocks(&self, first: u64) -> [[u32; BLOCKS]; 4] {
        let mut words = [[0; BLOCKS]; 4];
        for lane in 0..BLOCKS {
            let block = first.wrapping_add(lane as u64);
            (words[0][lane], words[1][lane]) = (block as u32, (block >> 32) as u32);
        }
        (words[2], words[3]) = ([self.stream[0]; BLOCKS], [self.stream[1]; BLOCKS]);
        let mut key = self.key;
        for _ in 0..10 {
            let [a, b, c, d] = words;
            for lane in 0..BLOCKS {
                let p = u64::from(a[lane]) * 0xD251_1F53;
                let q = u64::from(c[lane]) * 0xCD9E_8D57;
                words[0][lane] = (q >> 32) as u32 ^ b[lane] ^ key[0];
                words[1][lane] = q as u32;
                words[2][lane] = (p >> 32) as u32 ^ d[lane] ^ key[1];
                words[3][lane] = p as u32;
            }
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        words
    }

    /// Random word at `position`.
    pub fn word(&self, position: u64) -> u32 {
        self.block(position / 4)[(position % 4) as usize]
    }

    /// Number in [0, 1) with 24 random bits.
    pub fn uniform(&self, position: u64) -> f32 {
        unit(self.word(position))
    }

    /// Standard normal number (Box–Muller on one block of words).
    pub fn normal(&self, position: u64) -> f32 {
        let words = self.block(position / 2);
        let pair = 2 * (position % 2) as usize;
        let radius = (-2.0 * (1.0 - unit(words[pair]) as f64).ln()).sqrt();
        let angle = std::f64::consts::TAU * unit(words[pair + 1]) as f64;
        (radius * angle.cos()) as f32
    }

    /// Integer in [0, bound), without bias that matters for a bound below 2^32.
    pub fn below(&self, position: u64, bound: u64) -> u64 {
        let words = self.block(position);
        let wide = (words[0] as u64) << 32 | words[1] as u64;
        ((wide as u128 * bound as u128) >> 64) as u64
    }
}

/// The upper 24 bits of a word as a number in [0, 1).
pub fn unit(word: u32) -> f32 {
    (word >> 8) as f32 / 16_777_216.0
}

/// The rounds of `N` counters, side by side so that the processor's vectors can be used.
fn rounds<const N: usize>(mut counter: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..10 {
        let [a, b, c, d] = counter;
        let p = a.map(|a| a as u64 * 0xD251_1F53);
        let q = c.map(|c| c as u64 * 0xCD9E_8D57);
        counter = [
            std::array::from_fn(|n| (q[n] >> 32) as u32 ^ b[n] ^ key[0]),
            q.map(|q| q as u32),
            std::array::from_fn(|n| (p[n] >> 32) as u32 ^ d[n] ^ key[1]),
            p.map(|p| p as u32),
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_agree_with_the_published_test_vectors() {
        let zeros = [[0x6627e8d5], [0xe169c58d], [0xbc57ac4c], [0x9b00dbd8]];
        assert_eq!(rounds([[0]; 4], [0; 2]), zeros);
        let ones = [[0x408f276d], [0x41c83b0e], [0xa20bc7c6], [0x6d5451fd]];
        assert_eq!(rounds([[u32::MAX]; 4], [u32::MAX; 2]), ones);
    }

    #[test]
    fn blocks_at_a_time_are_the_blocks_one_by_one() {
        let stream = Philox::new(5, Purpose::Dropout, 2, 1);
        for first in [0, 7, u64::from(u32::MAX) - 3] {
            let words = stream.blocks(first);
            let blocks = (first..).take(BLOCKS).map(|block| stream.block(block));
            for (lane, block) in blocks.enumerate() {
                assert_eq!(words.map(|word| word[lane]), block);
            }
        }
    }

    #[test]
    fn streams_of_other_steps_differ() {
        let a = Philox::new(1, Purpose::Dropout, 0, 0);
        let b = Philox::new(1, Purpose::Dropout, 1, 0);
        assert_ne!(a.block(0), b.block(0));
    }

    #[test]
    fn halves_are_those_of_the_blocks() {
        let s = Philox::new(5, Purpose::Rounding, 2, 1 << 33);
        let halves = s.halves(1 << 40);
        for lane in 0..8 {
            for (word, expected) in s.block((8 << 40) + lane as u64).into_iter().enumerate() {
                let at = 16 * word + lane;
                assert_eq!(halves[at] as u32 | (halves[at + 8] as u32) << 16, expected);
            }
        }
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let s = Philox::new(3, Purpose::Weights, 0, 0);
        let n = 100_000;
        let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
        assert!((mean(&|i| s.uniform(i) as f64) - 0.5).abs() < 0.005);
        assert!(mean(&|i| s.normal(i) as f64).abs() < 0.02);
        assert!((mean(&|i| (s.normal(i) as f64).powi(2)) - 1.0).abs() < 0.02);
    }

    #[test]
    fn below_stays_below_its_bound() {
        let s = Philox::new(9, Purpose::Shuffle, 0, 0);
        assert!((0..1000).all(|i| s.below(i, 7) < 7));
    }
}
