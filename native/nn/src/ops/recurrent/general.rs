//! Recurrent ops with every option of ONNX, in plain code.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::sequence::Sequence;

/// A recurrent op with all its settings, for one run.
pub(super) struct General<'a> {
    pub cell: Cell,
    pub sizes: Sequence,
    pub reversed: &'a [bool],
    /// Of each direction, as many as the cell has.
    pub activations: &'a [GateActivation],
    pub clip: Option<f32>,
    pub x: &'a [f64],
    pub w: &'a [f64],
    pub r: &'a [f64],
    pub b: Option<&'a [f64]>,
    pub lengths: Option<&'a [i64]>,
    pub h0: Option<&'a [f64]>,
    pub c0: Option<&'a [f64]>,
    pub p: Option<&'a [f64]>,
}

/// All results: y, last states, and what backward reads of each row.
pub(super) struct Results {
    pub y: Vec<f64>,
    pub h: Vec<f64>,
    pub c: Vec<f64>,
    pub kept: Vec<f64>,
}

impl General<'_> {
    pub fn run(&self) -> Results {
        let Sequence { steps, batch, hidden: h, directions, .. } = self.sizes;
        let rows = steps * batch;
        let mut results = Results {
            y: vec![0.0; rows * directions * h],
            h: vec![0.0; batch * directions * h],
            c: vec![0.0; batch * directions * h],
            kept: vec![0.0; directions * rows * self.cell.kept() * h],
        };
        for (direction, &reversed) in self.reversed.iter().enumerate() {
            for sample in 0..batch {
                self.sample(direction, reversed, sample, &mut results);
            }
        }
        results
    }

    fn sample(&self, direction: usize, reversed: bool, sample: usize, to: &mut Results) {
        let Sequence { steps, batch, inputs, hidden: h, .. } = self.sizes;
        let width = self.cell.kept() * h;
        let (first, apart) = self.sizes.state_rows(direction);
        let state = first + sample * apart..first + sample * apart + h;
        let start = |given: Option<&[f64]>| match given {
            Some(given) => given[state.clone()].to_vec(),
            None => vec![0.0; h],
        };
        let (mut before, mut cell) = (start(self.h0), start(self.c0));
        let length = self.lengths.map_or(steps, |lengths| lengths[sample] as usize);
        let (per_step, per_sample) = self.sizes.row_strides();
        for step in self.sizes.order(reversed).filter(|&step| step < length) {
            let row = step * per_step + sample * per_sample;
            let x = &self.x[row * inputs..][..inputs];
            let gates = self.step(direction, x, &mut before, &mut cell);
            let kept = &mut to.kept[(direction * steps * batch + row) * width..][..width];
            let values = gates.iter().chain(&cell);
            kept.iter_mut().zip(values).for_each(|(kept, value)| *kept = *value);
            let (begin, stride) = self.sizes.y_rows(step, direction);
            to.y[begin + sample * stride..][..h].copy_from_slice(&before);
        }
        to.h[state.clone()].copy_from_slice(&before);
        to.c[state].copy_from_slice(&cell);
    }

    /// One step: gates after their activations; new result and cell in place. What the reset gate
    /// of a GRU works on, if that is R h' + b', is given as the cell.
    fn step(&self, d: usize, x: &[f64], before: &mut [f64], cell: &mut [f64]) -> Vec<f64> {
        let Sequence { inputs, hidden: h, .. } = self.sizes;
        let n = self.cell.gates();
        let row = |gate: usize, k: usize| (d * n + gate) * h + k;
        let input = |gate: usize, k: usize| dot(&self.w[row(gate, k) * inputs..], x);
        let recurrent =
            |gate: usize, k: usize, state: &[f64]| dot(&self.r[row(gate, k) * h..], state);
        let bias = |side: usize, gate: usize, k: usize| {
            self.b.map_or(0.0, |b| b[((2 * d + side) * n + gate) * h + k])
        };
        let f = |number: usize, x: f64| {
            let clip = self.clip.map_or(f64::INFINITY, f64::from);
            let functions = self.activations.len() / self.reversed.len();
            self.activations[d * functions + number].apply(x.clamp(-clip, clip))
        };
        let plain = |gate: usize, k: usize, state: &[f64]| {
            input(gate, k) + recurrent(gate, k, state) + bias(0, gate, k) + bias(1, gate, k)
        };
        let mut gates = vec![0.0; n * h];
        match self.cell {
            Cell::Rnn => {
                for k in 0..h {
                    gates[k] = f(0, plain(0, k, before));
                }
                before.copy_from_slice(&gates);
            }
            Cell::Gru { linear_before_reset } => {
                for k in 0..2 * h {
                    gates[k] = f(0, plain(k / h, k % h, before));
                }
                let reset: Vec<f64> = (0..h).map(|k| gates[h + k] * before[k]).collect();
                for k in 0..h {
                    gates[2 * h + k] = f(
                        1,
                        if linear_before_reset {
                            cell[k] = recurrent(2, k, before) + bias(1, 2, k);
                            input(2, k) + bias(0, 2, k) + gates[h + k] * cell[k]
                        } else {
                            plain(2, k, &reset)
                        },
                    );
                }
                for k in 0..h {
                    before[k] = (1.0 - gates[k]) * gates[2 * h + k] + gates[k] * before[k];
                }
            }
            Cell::Lstm { order: [i, o, forget, g], input_forget } => {
                // Peepholes of input, output and forget gate.
                let peephole = |number: usize, k: usize, cell: f64| {
                    self.p.map_or(0.0, |p| p[(d * 3 + number) * h + k] * cell)
                };
                for k in 0..h {
                    let at_i = f(0, plain(i, k, before) + peephole(0, k, cell[k]));
                    let at_f = f(0, plain(forget, k, before) + peephole(2, k, cell[k]));
                    let at_f = if input_forget { 1.0 - at_i } else { at_f };
                    let at_g = f(1, plain(g, k, before));
                    let new = at_f * cell[k] + at_i * at_g;
                    let at_o = f(0, plain(o, k, before) + peephole(1, k, new));
                    for (gate, value) in [(i, at_i), (o, at_o), (forget, at_f), (g, at_g)] {
                        gates[gate * h + k] = value;
                    }
                    cell[k] = new;
                }
                for k in 0..h {
                    before[k] = gates[o * h + k] * f(2, cell[k]);
                }
            }
        }
        gates
    }
}

fn dot(row: &[f64], x: &[f64]) -> f64 {
    row.iter().zip(x).map(|(a, b)| a * b).sum()
}
