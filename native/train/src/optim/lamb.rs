use super::rule::{Rule, Sums, matrix};
use super::{Chunk, Old, dot};
use crate::Error;
use crate::error::{check, check_above_zero, check_below_one, check_positive};
use crate::power::power;
use serde::{Deserialize, Serialize};

/// Adaptive moments with a learning rate for each layer, for large batches.
///
/// With gradient `g`, weights `w` of one parameter, learning rate `η` (scheduled), weight decay `λ` and
/// `t` = number of this iteration, from 1:
///
/// ```text
/// m ← β₁·m + (1 - β₁)·g
/// v ← β₂·v + (1 - β₂)·g²
/// u ← (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε) + λ·w
/// w ← w - η · ‖w‖/‖u‖ · u          (‖w‖/‖u‖ counts as 1 if either is 0)
/// ```
///
/// A layer of the paper is a parameter here. Parameters of one dimension (biases, scales and shifts of
/// normalizations) take the step `η·u` without weight decay, as is usual, unless `adapt_vectors`.
/// `clip_norm` is refused: its factor and the norms of `u` would need two rounds of sums.
///
/// State: two slots, `m` then `v`, both starting at 0.
///
/// Source: You et al., "Large batch optimization for deep learning: training BERT in 76 minutes",
/// 2020, algorithm 2 with `φ(z) = z`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lamb {
    /// Step size `η`, 0 or more; default 0.001.
    pub learning_rate: f64,
    /// Decay `β₁` of the mean of gradients, in [0, 1); default 0.9.
    pub beta_1: f64,
    /// Decay `β₂` of the mean of squared gradients, in [0, 1); default 0.999.
    pub beta_2: f64,
    /// `ε`, keeps the quotient finite, above 0; default 1e-6.
    pub epsilon: f64,
    /// Decoupled weight decay `λ`, 0 or more; default 0.01.
    pub weight_decay: f64,
    /// Whether parameters of one dimension are treated as all others; default false.
    pub adapt_vectors: bool,
}

impl Default for Lamb {
    fn default() -> Self {
        Lamb {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-6,
            weight_decay: 0.01,
            adapt_vectors: false,
        }
    }
}

/// The formula with all scalars, rounded to f32 once.
struct Moments {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    mean: f32,
    root: f32,
    epsilon: f32,
    decay: f32,
}

impl Moments {
    fn new(rule: &Lamb, iteration: u64, decay: f64) -> Moments {
        let t = iteration + 1;
        Moments {
            beta_1: rule.beta_1 as f32,
            rest_1: (1.0 - rule.beta_1) as f32,
            beta_2: rule.beta_2 as f32,
            rest_2: (1.0 - rule.beta_2) as f32,
            mean: (1.0 / (1.0 - power(rule.beta_1, t))) as f32,
            root: (1.0 / (1.0 - power(rule.beta_2, t))).sqrt() as f32,
            epsilon: rule.epsilon as f32,
            decay: decay as f32,
        }
    }

    /// `u`, and the new `m` and `v`.
    fn direction(&self, g: f32, w: f32, [m, v]: [f32; 2]) -> (f32, [f32; 2]) {
        let m = self.beta_1 * m + self.rest_1 * g;
        let v = self.beta_2 * v + self.rest_2 * g * g;
        let u = m * self.mean / (v.sqrt() * self.root + self.epsilon) + self.decay * w;
        (u, [m, v])
    }
}

impl Rule for Lamb {
    fn who(&self) -> &'static str {
        "LAMB"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), Error> {
        check_below_one("LAMB", "beta_1", self.beta_1)?;
        check_below_one("LAMB", "beta_2", self.beta_2)?;
        check_above_zero("LAMB", "epsilon", self.epsilon)?;
        check_positive("LAMB", "weight_decay", self.weight_decay)
    }

    fn check_clip_norm(&self, clip_norm: f64) -> Result<(), Error> {
        let expected = "null: the norms of LAMB's steps depend on the clipped gradient, which would \
                        take two rounds of sums. Use clip_value";
        check(false, "LAMB", "clip_norm", expected, clip_norm)
    }

    /// `Σ w²`, `Σ u²`.
    fn sums(&self) -> Sums {
        Sums::PerParameter(2)
    }

    fn partial_sums(&self, old: &Old<'_>, sums: &mut [f64]) {
        let moments = Moments::new(self, old.iteration, self.weight_decay);
        let ([weights, steps], [m, v]) = (sums, &old.state[..]) else { return };
        *weights = dot(old.weights, old.weights);
        let state = m.iter().zip(*v);
        let elements = old.gradient.iter().zip(old.weights).zip(state);
        let direction: Vec<f32> =
            elements.map(|((&g, &w), (&m, &v))| moments.direction(g, w, [m, v]).0).collect();
        *steps = dot(&direction, &direction);
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let mut rate = learning_rate;
        let mut decay = self.weight_decay;
        if !self.adapt_vectors && !matrix(chunk) {
            decay = 0.0;
        } else if let [weights, steps] = *chunk.totals
            && weights > 0.0
            && steps > 0.0
        {
            rate *= (weights / steps).sqrt();
        }
        let moments = Moments::new(self, chunk.old.iteration, decay);
        let rate = rate as f32;
        chunk.each(|g, w, state| {
            let (u, state) = moments.direction(g, w, state);
            (w - rate * u, state)
        });
    }
}
