use super::rule::{Rule, Sums};
use super::{Chunk, Old, dot};
use crate::Error;
use crate::error::check;
use serde::{Deserialize, Serialize};

/// Largest history: each piece of 4,096 weights has `m² + m·(m + 1)/2 + 2m + 1` sums.
const LONGEST: usize = 32;

/// Curvature below which a pair is left out.
const FLAT: f64 = 1e-10;

/// Limited-memory BFGS: steps along an estimate of Newton's direction, without line search.
///
/// With gradient `g`, weights `w`, learning rate `η` (scheduled), and for each of the last
/// `m = history_size` iterations `s` = its step and `y` = the change of the gradient after it, pairs
/// with `y·s` ≤ 1e-10 left out:
///
/// ```text
/// q ← -g
/// for each pair, newest first:   a ← s·q / y·s,   q ← q - a·y
/// r ← q · (y·s / y·y of the newest)
/// for each pair, oldest first:   b ← y·r / y·s,   r ← r + (a - b)·s
/// w ← w + η·r             (in the first iteration η·min(1, 1/‖g‖₁))
/// ```
///
/// All products of vectors that this needs are sums of one round: the recursion runs on the
/// coefficients of `s`, `y` and `g` in `r`. It is a method for smooth losses and batches so large that
/// their gradient has little noise, best the whole training set. Unlike in PyTorch a pair that is left
/// out still counts among the last `m`. `clip_norm` is refused.
///
/// State: `2m + 1` slots: `s` and `y` in rings, the gradient.
///
/// Sources: Nocedal, "Updating quasi-Newton matrices with limited storage", 1980; Chen, Wang, Zhou,
/// "Large-scale L-BFGS using MapReduce", 2014; PyTorch's `LBFGS` with `max_iter` = 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// Step size `η` in units of the estimated Newton step, 0 or more; default 1.
    pub learning_rate: f64,
    /// Pairs `m` that are kept, from 1 to 32; default 10 (PyTorch and BigDL have 100).
    pub history_size: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs { learning_rate: 1.0, history_size: 10 }
    }
}

/// Where the products of vectors stand among the sums; `s` and `y` are numbered by their places in the
/// rings of length `m`.
#[derive(Clone, Copy)]
struct Products {
    m: usize,
}

impl Products {
    /// `sᵢ·yⱼ`.
    fn sy(self, i: usize, j: usize) -> usize {
        i * self.m + j
    }

    /// `yᵢ·yⱼ`: the upper half of a matrix, row by row.
    fn yy(self, i: usize, j: usize) -> usize {
        let (i, j) = (i.min(j), i.max(j));
        self.m * self.m + i * self.m - i * (i + 1) / 2 + j
    }

    /// `sᵢ·g`.
    fn sg(self, i: usize) -> usize {
        self.m * self.m + self.m * (self.m + 1) / 2 + i
    }

    /// `yᵢ·g`.
    fn yg(self, i: usize) -> usize {
        self.sg(self.m) + i
    }

    /// `‖g‖₁`.
    fn size(self) -> usize {
        self.yg(self.m)
    }

    fn count(self) -> usize {
        self.size() + 1
    }
}

/// The coefficients of `s`, `y` and `g` in a direction.
struct Direction {
    s: Vec<f64>,
    y: Vec<f64>,
    g: f64,
}

impl Lbfgs {
    /// The places of the pairs at an iteration, oldest first.
    fn pairs(&self, iteration: u64) -> impl DoubleEndedIterator<Item = usize> + Clone {
        let m = self.history_size as u64;
        (iteration.saturating_sub(m)..iteration).map(move |pair| (pair % m) as usize)
    }

    /// The change of the gradient in the last iteration and its place in the ring, if there was one.
    fn newest(&self, old: &Old<'_>) -> Option<(usize, Vec<f32>)> {
        let place = self.pairs(old.iteration).next_back()?;
        let before = old.state.last()?;
        Some((place, old.gradient.iter().zip(*before).map(|(g, before)| g - before).collect()))
    }

    fn products(&self) -> Products {
        Products { m: self.history_size }
    }

    /// The two loops, on coefficients.
    fn direction(&self, iteration: u64, totals: &[f64]) -> Direction {
        let (m, at) = (self.history_size, self.products());
        let curvature = |i: usize| totals[at.sy(i, i)];
        let mut to = Direction { s: vec![0.0; m], y: vec![0.0; m], g: -1.0 };
        let pairs = self.pairs(iteration).filter(|&i| curvature(i) > FLAT);
        let mut first = vec![0.0; m];
        for i in pairs.clone().rev() {
            let along: f64 = (0..m).map(|j| to.y[j] * totals[at.sy(i, j)]).sum();
            first[i] = (to.g * totals[at.sg(i)] + along) / curvature(i);
            to.y[i] -= first[i];
        }
        let newest = pairs.clone().next_back();
        let scale = newest.map_or(1.0, |i| curvature(i) / totals[at.yy(i, i)]);
        to.g *= scale;
        to.y.iter_mut().for_each(|y| *y *= scale);
        for i in pairs {
            let term = |j: usize| to.y[j] * totals[at.yy(i, j)] + to.s[j] * totals[at.sy(j, i)];
            let along: f64 = (0..m).map(term).sum();
            to.s[i] += first[i] - (to.g * totals[at.yg(i)] + along) / curvature(i);
        }
        to
    }
}

impl Rule for Lbfgs {
    fn who(&self) -> &'static str {
        "LBFGS"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> usize {
        2 * self.history_size + 1
    }

    fn check(&self) -> Result<(), Error> {
        let holds = (1..=LONGEST).contains(&self.history_size);
        check(holds, "LBFGS", "history_size", "a number from 1 to 32", self.history_size)
    }

    fn check_clip_norm(&self, clip_norm: f64) -> Result<(), Error> {
        let expected = "null: the changes of clipped gradients say nothing of the curvature";
        check(false, "LBFGS", "clip_norm", expected, clip_norm)
    }

    fn sums(&self) -> Sums {
        Sums::PerGroup(self.products().count())
    }

    fn partial_sums(&self, old: &Old<'_>, sums: &mut [f64]) {
        let (m, at, newest) = (self.history_size, self.products(), self.newest(old));
        let s = |i: usize| old.state[i];
        let y = |i: usize| match &newest {
            Some((place, change)) if *place == i => &change[..],
            _ => old.state[m + i],
        };
        for i in self.pairs(old.iteration) {
            sums[at.sg(i)] = dot(s(i), old.gradient);
            sums[at.yg(i)] = dot(y(i), old.gradient);
            for j in self.pairs(old.iteration) {
                sums[at.sy(i, j)] = dot(s(i), y(j));
                if i <= j {
                    sums[at.yy(i, j)] = dot(y(i), y(j));
                }
            }
        }
        sums[at.size()] = old.gradient.iter().map(|&g| g.abs() as f64).sum();
    }

    fn step(&self, learning_rate: f64, chunk: &mut Chunk<'_>) {
        let (m, old) = (self.history_size, &chunk.old);
        let to = self.direction(old.iteration, chunk.totals);
        let mut step: Vec<f64> = old.gradient.iter().map(|&g| to.g * g as f64).collect();
        let mut add = |factor: f64, vector: &[f32]| {
            if factor != 0.0 {
                step.iter_mut().zip(vector).for_each(|(step, &v)| *step += factor * v as f64);
            }
        };
        for (new, old) in chunk.state.iter_mut().zip(&old.state) {
            new.copy_from_slice(old);
        }
        if let Some((place, change)) = self.newest(old) {
            chunk.state[m + place].copy_from_slice(&change);
        }
        chunk.state[2 * m].copy_from_slice(old.gradient);
        for i in self.pairs(old.iteration) {
            add(to.s[i], old.state[i]);
            add(to.y[i], &*chunk.state[m + i]);
        }
        let size = chunk.totals[self.products().size()];
        let first = if old.iteration == 0 { (1.0 / size).min(1.0) } else { 1.0 };
        let place = (old.iteration % m as u64) as usize;
        let moved = chunk.weights.iter_mut().zip(old.weights).zip(step);
        for (((new, old), step), s) in moved.zip(chunk.state[place].iter_mut()) {
            *new = (*old as f64 + learning_rate * first * step) as f32;
            *s = *new - old;
        }
    }
}

#[cfg(test)]
mod tests;
