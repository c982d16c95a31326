//! The LSTM that only predicts: its weights lie side by side in the order in which they are read,
//! and threads share the samples.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::lstm::LSTM;
use super::sequence::Sequence;
use crate::op::{Cost, Op};
use crate::{Compiler, Error, OpError, TensorType};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tensor::{Shape, math, vectorized};

/// Samples that are worked on at a time: their gates stay in the nearest cache.
const BLOCK: usize = 8;

/// The weights of all directions, in rows of the four gates (input, output, forget, cell): the
/// biases, then a row for each of the inputs, then for each of the state. Sources: w, r, perhaps b,
/// as [`LSTM`] has them.
#[derive(Clone, Debug)]
pub(crate) struct PackLstm {
    pub(super) places: [usize; 4],
    pub(super) sizes: Sequence,
}

/// Floats of a direction's packed weights.
fn packed(sizes: &Sequence) -> usize {
    4 * sizes.hidden * (1 + sizes.inputs + sizes.hidden)
}

impl Op for PackLstm {
    fn name(&self) -> &'static str {
        "PackLSTM"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let dims = vec![self.sizes.directions, packed(&self.sizes)];
        Ok(vec![src[0].with_shape(dims)])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let Self { places, sizes } = self.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let Sequence { inputs, hidden: h, .. } = sizes;
            let width = 4 * h;
            for (d, to) in dst[0].chunks_exact_mut(packed(&sizes)).enumerate() {
                for column in 0..width {
                    // The column's place in the weights as they are given.
                    let from = places[column / h] * h + column % h;
                    let to = &mut to[column..];
                    let w = &src[0][(d * width + from) * inputs..][..inputs];
                    let r = &src[1][(d * width + from) * h..][..h];
                    to[0] = src.get(2).map_or(0.0, |b| {
                        let b = &b[2 * d * width..];
                        b[from] + b[width + from]
                    });
                    for (row, weight) in w.iter().chain(r).enumerate() {
                        to[(1 + row) * width] = *weight;
                    }
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        crate::op::elementwise_cost(src, dst, 0.0)
    }
}

/// [`LSTM`] with packed weights, without the results that only gradients need. Sources: x, the packed
/// weights, then initial_h and initial_c if there are such.
#[derive(Clone, Debug)]
pub(crate) struct PackedLstm {
    pub(super) lstm: LSTM,
    pub(super) sizes: Sequence,
}

impl Op for PackedLstm {
    fn name(&self) -> &'static str {
        "PackedLSTM"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let shapes = [self.sizes.y(), self.sizes.state(), self.sizes.state()];
        Ok(shapes.into_iter().map(|shape| src[0].with_shape(shape)).collect())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (Self { lstm, sizes }, threads) = (self.clone(), compiler.threads());
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [y, last_h, last_c] = dst else { return };
            for (direction, &reversed) in lstm.direction.reversed().iter().enumerate() {
                let weights = &src[1][direction * packed(&sizes)..][..packed(&sizes)];
                let h0 = lstm.initial_h.then(|| src[2]);
                let c0 = lstm.initial_c.then(|| src[2 + usize::from(lstm.initial_h)]);
                let pass = Pass { sizes, direction, reversed, x: src[0], weights, h0, c0 };
                pass.run(threads, y, last_h, last_c);
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let Sequence { steps, batch, .. } = self.sizes;
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * (steps * batch * src[1].len()) as f64, bytes }
    }
}

/// One direction.
struct Pass<'a> {
    sizes: Sequence,
    direction: usize,
    reversed: bool,
    x: &'a [f32],
    weights: &'a [f32],
    h0: Option<&'a [f32]>,
    c0: Option<&'a [f32]>,
}

/// The samples of one thread and where their results go.
#[derive(Default)]
struct Part<'a> {
    first: usize,
    /// For each step and sample, in the order of y.
    y: Vec<&'a mut [f32]>,
    h: Vec<&'a mut [f32]>,
    c: Vec<&'a mut [f32]>,
}

impl Pass<'_> {
    fn run(&self, threads: usize, y: &mut [f32], last_h: &mut [f32], last_c: &mut [f32]) {
        let Sequence { steps, batch, hidden: h, directions, batch_first, .. } = self.sizes;
        let count = threads.min(batch).max(1);
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(count);
        parts.resize_with(count, Part::default);
        // Part of each sample.
        let mut of = Vec::with_capacity(batch);
        for (number, part) in parts.iter_mut().enumerate() {
            part.first = number * batch / count;
            of.resize((number + 1) * batch / count, number);
            part.y.reserve_exact(steps * (of.len() - part.first));
        }
        for (row, to) in y.chunks_exact_mut(h).enumerate() {
            let (direction, sample) = match batch_first {
                true => (row % directions, row / directions / steps),
                false => (row / batch % directions, row % batch),
            };
            if direction == self.direction {
                parts[of[sample]].y.push(to);
            }
        }
        for (states, of_h) in [(last_h, true), (last_c, false)] {
            for (row, to) in states.chunks_exact_mut(h).enumerate() {
                let (direction, sample) = match batch_first {
                    true => (row % directions, row / directions),
                    false => (row / batch, row % batch),
                };
                if direction == self.direction {
                    let part = &mut parts[of[sample]];
                    if of_h { part.h.push(to) } else { part.c.push(to) }
                }
            }
        }
        let parts: Vec<Mutex<Part<'_>>> = parts.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        onednn::parallel(count, || {
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Ok(mut part) = part.lock() {
                    self.part(&mut part);
                }
            }
        });
    }

    fn part(&self, part: &mut Part<'_>) {
        let Sequence { steps, inputs, hidden: h, batch_first, .. } = self.sizes;
        let n = part.c.len();
        let place = |step: usize, sample: usize| match batch_first {
            true => sample * steps + step,
            false => step * n + sample,
        };
        let (first, apart) = self.sizes.state_rows(self.direction);
        let state = |sample: usize| first + (part.first + sample) * apart;
        let (per_step, per_sample) = self.sizes.row_strides();
        let mut cells = vec![0.0; n * h];
        let mut before = vec![0.0; n * h];
        for (given, to) in [(self.h0, &mut before), (self.c0, &mut cells)] {
            if let Some(given) = given {
                for (sample, to) in to.chunks_exact_mut(h).enumerate() {
                    to.copy_from_slice(&given[state(sample)..][..h]);
                }
            }
        }
        // Without a first result the state's rows are not read in the first step.
        let mut with_state = self.h0.is_some();
        let width = 4 * h;
        let (bias, weights) = self.weights.split_at(width);
        let (of_inputs, of_state) = weights.split_at(inputs * width);
        let mut gates = vec![0.0; n * width];
        let row = |step: usize, sample: usize| {
            (step * per_step + (part.first + sample) * per_sample) * inputs
        };
        for step in self.sizes.order(self.reversed) {
            for (block, gates) in gates.chunks_mut(BLOCK * width).enumerate() {
                gates.chunks_exact_mut(width).for_each(|gates| gates.copy_from_slice(bias));
                add_products(self.x, &|r| row(step, block * BLOCK + r), inputs, of_inputs, gates);
                if with_state {
                    add_products(&before, &|r| (block * BLOCK + r) * h, h, of_state, gates);
                }
            }
            with_state = true;
            for sample in 0..n {
                let (gates, at) = (&gates[sample * width..], sample * h..(sample + 1) * h);
                let y = &mut *part.y[place(step, sample)];
                cell(&gates[..4 * h], &mut cells[at.clone()], &mut before[at], y);
            }
        }
        for (sample, (to_h, to_c)) in part.h.iter_mut().zip(&mut part.c).enumerate() {
            to_h.copy_from_slice(&before[sample * h..][..h]);
            to_c.copy_from_slice(&cells[sample * h..][..h]);
        }
    }
}

vectorized! {
    /// c = f·c + i·g and y = o·tanh c, also into `kept`; gates are input, output, forget, cell.
    fn cell(gates: &[f32], c: &mut [f32], kept: &mut [f32], y: &mut [f32]) {
        let n = c.len();
        let (gates, kept, y) = (&gates[..4 * n], &mut kept[..n], &mut y[..n]);
        let (i, rest) = gates.split_at(n);
        let (o, rest) = rest.split_at(n);
        let (f, g) = rest.split_at(n);
        let g = &g[..n];
        for k in 0..n {
            c[k] = math::sigmoid(f[k]) * c[k] + math::sigmoid(i[k]) * math::tanh(g[k]);
            y[k] = math::sigmoid(o[k]) * math::tanh(c[k]);
        }
        kept.copy_from_slice(y);
    }
}

/// Adds to the gates of each sample Σₖ rows\[k\] · weights\[k\], in the order of k, where `at` says
/// where the `count` numbers of a sample begin in `rows`.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+fma",
))]
fn add_products(
    rows: &[f32],
    at: &dyn Fn(usize) -> usize,
    count: usize,
    weights: &[f32],
    gates: &mut [f32],
) {
    let width = weights.len() / count.max(1);
    // Four rows of weights and four samples at a time: what was read is used four times.
    let fours = count / 4 * 4;
    let (by_four, rest) = weights.split_at(fours * width);
    for (k, w) in by_four.chunks_exact(4 * width).enumerate() {
        let (low, high) = w.split_at(2 * width);
        let ((w0, w1), (w2, w3)) = (low.split_at(width), high.split_at(width));
        let w = [w0, w1, w2, w3];
        let factors = |r: usize| {
            let at = at(r) + 4 * k;
            [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]]
        };
        let mut samples = gates.chunks_exact_mut(4 * width);
        let mut r = 0;
        for gates in &mut samples {
            let (low, high) = gates.split_at_mut(2 * width);
            let ((a, b), (c, d)) = (low.split_at_mut(width), high.split_at_mut(width));
            let f = [factors(r), factors(r + 1), factors(r + 2), factors(r + 3)];
            for i in 0..width {
                a[i] = add_four(a[i], &f[0], w, i);
                b[i] = add_four(b[i], &f[1], w, i);
                c[i] = add_four(c[i], &f[2], w, i);
                d[i] = add_four(d[i], &f[3], w, i);
            }
            r += 4;
        }
        for gates in samples.into_remainder().chunks_exact_mut(width) {
            let f = factors(r);
            gates.iter_mut().enumerate().for_each(|(i, g)| *g = add_four(*g, &f, w, i));
            r += 1;
        }
    }
    for (k, w) in rest.chunks_exact(width).enumerate() {
        for (r, gates) in gates.chunks_exact_mut(width).enumerate() {
            let f = rows[at(r) + fours + k];
            gates.iter_mut().zip(w).for_each(|(g, w)| *g = f.mul_add(*w, *g));
        }
    }
}

#[inline(always)]
fn add_four(sum: f32, f: &[f32; 4], w: [&[f32]; 4], i: usize) -> f32 {
    let sum = f[1].mul_add(w[1][i], f[0].mul_add(w[0][i], sum));
    f[3].mul_add(w[3][i], f[2].mul_add(w[2][i], sum))
}
