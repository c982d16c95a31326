//! Recurrent ops with every option of ONNX, in plain code.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::sequence::Sequence;
use serde::{Deserialize, Serialize};

/// A function inside a recurrent op, with ONNX's names and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateActivation {
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e^−x).
    Sigmoid,
    /// alpha·x + beta.
    Affine {
        /// Factor.
        alpha: f32,
        /// Summand.
        beta: f32,
    },
    /// x above 0, else alpha·x.
    LeakyRelu {
        /// Slope below 0.
        alpha: f32,
    },
    /// x from alpha on, else 0.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32,
    },
    /// alpha·tanh(beta·x).
    ScaledTanh {
        /// Factor of the result.
        alpha: f32,
        /// Factor of x.
        beta: f32,
    },
    /// alpha·x + beta, at least 0 and at most 1.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// x from 0 on, else alpha·(e^x − 1).
    Elu {
        /// Factor below 0.
        alpha: f32,
    },
    /// x / (1 + |x|).
    Softsign,
    /// ln(1 + e^x).
    Softplus,
}

impl GateActivation {
    fn apply(self, x: f64) -> f64 {
        use GateActivation::*;
        let wide = f64::from;
        match self {
            Relu => x.max(0.0),
            Tanh => x.tanh(),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Affine { alpha, beta } => wide(alpha) * x + wide(beta),
            LeakyRelu { alpha } => {
                if x >= 0.0 {
                    x
                } else {
                    wide(alpha) * x
                }
            }
            ThresholdedRelu { alpha } => {
                if x >= wide(alpha) {
                    x
                } else {
                    0.0
                }
            }
            ScaledTanh { alpha, beta } => wide(alpha) * (wide(beta) * x).tanh(),
            HardSigmoid { alpha, beta } => (wide(alpha) * x + wide(beta)).clamp(0.0, 1.0),
            Elu { alpha } => {
                if x >= 0.0 {
                    x
                } else {
                    wide(alpha) * x.exp_m1()
                }
            }
            Softsign => x / (1.0 + x.abs()),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        }
    }
}

/// The cell of a recurrent op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Rnn,
    Gru {
        linear_before_reset: bool,
    },
    /// Places of input, output, forget and cell gate among the four.
    Lstm {
        order: [usize; 4],
        input_forget: bool,
    },
}

impl Cell {
    pub fn gates(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Gru { .. } => 3,
            Cell::Lstm { .. } => 4,
        }
    }
}

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

/// All results: y, last states, and the gates and cells of each row.
pub(super) struct Results {
    pub y: Vec<f64>,
    pub h: Vec<f64>,
    pub c: Vec<f64>,
    pub gates: Vec<f64>,
    pub cells: Vec<f64>,
}

impl General<'_> {
    pub fn run(&self) -> Results {
        let Sequence { steps, batch, hidden: h, directions, .. } = self.sizes;
        let (rows, n) = (steps * batch, self.cell.gates());
        let mut results = Results {
            y: vec![0.0; rows * directions * h],
            h: vec![0.0; batch * directions * h],
            c: vec![0.0; batch * directions * h],
            gates: vec![0.0; directions * rows * n * h],
            cells: vec![0.0; directions * rows * h],
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
        let n = self.cell.gates();
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
            let kept = direction * steps * batch + row;
            to.gates[kept * n * h..][..n * h].copy_from_slice(&gates);
            to.cells[kept * h..][..h].copy_from_slice(&cell);
            let (begin, stride) = self.sizes.y_rows(step, direction);
            to.y[begin + sample * stride..][..h].copy_from_slice(&before);
        }
        to.h[state.clone()].copy_from_slice(&before);
        to.c[state].copy_from_slice(&cell);
    }

    /// One step: gates after their activations; new result and cell in place.
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
                            let state = recurrent(2, k, before) + bias(1, 2, k);
                            input(2, k) + bias(0, 2, k) + gates[h + k] * state
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
