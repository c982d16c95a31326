//! One direction of a recurrent op through all steps, forward and backward through time.

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::sequence::{Rows, Sequence};
use super::{gru_kernel, lstm_kernel, rnn_kernel};
use std::ops::Range;
use tensor::gemm::{Matrix, gemm_rows};

/// One direction of a recurrent op.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub sizes: Sequence,
    pub direction: usize,
    pub reversed: bool,
    pub cell: Cell,
    /// The function of the first gate.
    pub activation: GateActivation,
}

/// What one direction reads.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    pub x: &'a [f32],
    pub w: &'a [f32],
    pub r: &'a [f32],
    /// Both biases of each gate, or nothing.
    pub b: Option<&'a [f32]>,
    /// Initial states of all directions; zeros if nothing.
    pub h0: Option<&'a [f32]>,
    pub c0: Option<&'a [f32]>,
}

/// What forward gives: results, last states, and what backward reads.
pub(super) struct Results<'a> {
    pub y: &'a mut [f32],
    pub h: &'a mut [f32],
    pub c: Option<&'a mut [f32]>,
    /// What [`Cell::kept`] says, of this direction.
    pub kept: &'a mut [f32],
}

/// The gradients of the results, nothing where there is none.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub y: Option<&'a [f32]>,
    pub h: Option<&'a [f32]>,
    pub c: Option<&'a [f32]>,
}

/// What backward gives.
pub(super) struct Gradients<'a> {
    /// Of the initial states of all directions.
    pub h0: &'a mut [f32],
    pub c0: Option<&'a mut [f32]>,
    /// What [`Cell::diffs`] says, of this direction.
    pub gates: &'a mut [f32],
    pub before: &'a mut [f32],
    pub more: &'a mut [f32],
}

/// One step forward. The kept rows hold W x + b and get their final values.
pub(super) struct Forward<'a> {
    pub rows: Rows,
    /// Transposed, so that the rows of a product's second factor lie side by side.
    pub r: Matrix<'a>,
    /// The state before is zero, so that products with it need not be computed.
    pub zero: bool,
    /// h' and then h \[batch, h\].
    pub state: &'a mut [f32],
    /// c' and then c of an LSTM, room for others \[batch, h\].
    pub cell: &'a mut [f32],
    pub kept: &'a mut [f32],
}

/// One step backward.
pub(super) struct Backward<'a> {
    pub rows: Rows,
    pub r: Matrix<'a>,
    pub kept: &'a [f32],
    /// h' of all rows.
    pub before: &'a [f32],
    /// c' of an LSTM \[batch, h\].
    pub cell_before: &'a [f32],
    /// Gradient of h, then of h' \[batch, h\].
    pub state: &'a mut [f32],
    /// Gradient of c, then of c' of an LSTM, room for others \[batch, h\].
    pub cell: &'a mut [f32],
    pub gates: &'a mut [f32],
    pub more: &'a mut [f32],
}

impl<'a> Forward<'a> {
    /// Adds the products of the state before with columns of R to columns of the kept rows.
    pub fn add_state(&mut self, columns: Range<usize>, width: usize, to: usize) {
        if !self.zero {
            let state = Matrix::new(self.state, self.rows.batch, self.r.rows);
            self.rows.add_product([state, self.columns(columns)], self.kept, width, to);
        }
    }

    /// Some columns of R.
    pub fn columns(&self, columns: Range<usize>) -> Matrix<'a> {
        Matrix { data: &self.r.data[columns.start..], cols: columns.len(), ..self.r }
    }
}

impl Pass {
    /// The results.
    pub fn forward(&self, src: Weights<'_>, dst: Results<'_>) {
        let Sequence { steps, batch, inputs, hidden: h, .. } = self.sizes;
        let (n, width) = (self.cell.gates() * h, self.cell.kept() * h);
        let Results { y, h: last_h, c: last_c, kept } = dst;
        // All inputs at once, on top of the biases.
        let biases = self.biases(src.b);
        kept.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(&biases));
        let (x, w) = (Matrix::new(src.x, steps * batch, inputs), Matrix::new(src.w, n, inputs));
        gemm_rows(1.0, x, w.transposed(), 1.0, kept, width);
        let mut transposed = vec![0.0; n * h];
        for (k, row) in src.r.chunks_exact(h).enumerate() {
            row.iter().enumerate().for_each(|(i, &r)| transposed[i * n + k] = r);
        }
        let r = Matrix::new(&transposed, h, n);
        let (mut state, mut cell) = (self.gathered(src.h0), self.gathered(src.c0));
        let mut zero = src.h0.is_none();
        for step in self.sizes.order(self.reversed) {
            let rows = self.sizes.rows(step);
            let (state, cell) = (&mut state, &mut cell);
            let forward = Forward { rows, r, zero, state, cell, kept };
            match self.cell {
                Cell::Rnn => rnn_kernel::forward(forward, self.activation),
                Cell::Gru { linear_before_reset } => {
                    gru_kernel::forward(forward, linear_before_reset)
                }
                Cell::Lstm { order, .. } => lstm_kernel::forward(forward, order),
            }
            zero = false;
            let (begin, stride) = self.sizes.y_rows(step, self.direction);
            for (sample, state) in state.chunks_exact(h).enumerate() {
                y[begin + sample * stride..][..h].copy_from_slice(state);
            }
        }
        self.scatter(&state, last_h);
        if let Some(last_c) = last_c {
            self.scatter(&cell, last_c);
        }
    }

    /// The gradients.
    pub fn backward(
        &self,
        src: Weights<'_>,
        [y, kept]: [&[f32]; 2],
        given: Given<'_>,
        dst: Gradients<'_>,
    ) {
        let Sequence { batch, hidden: h, .. } = self.sizes;
        let Gradients { h0, c0, gates, before, more } = dst;
        let (mut state, mut cell) = (self.gathered(given.h), self.gathered(given.c));
        let (first_h, first_c) = (self.gathered(src.h0), self.gathered(src.c0));
        let mut cell_before = vec![0.0; batch * h];
        let r = Matrix::new(src.r, self.cell.gates() * h, h);
        let order: Vec<usize> = self.sizes.order(self.reversed).collect();
        for (n, &step) in order.iter().enumerate().rev() {
            let rows = self.sizes.rows(step);
            let previous = n.checked_sub(1).map(|n| order[n]);
            for sample in 0..batch {
                let at = sample * h..(sample + 1) * h;
                if let Some(dy) = given.y {
                    let (begin, stride) = self.sizes.y_rows(step, self.direction);
                    let dy = &dy[begin + sample * stride..][..h];
                    state[at.clone()].iter_mut().zip(dy).for_each(|(d, dy)| *d += dy);
                }
                let (h_before, c_before) = match previous {
                    Some(step) => {
                        let (begin, stride) = self.sizes.y_rows(step, self.direction);
                        let kept = &kept[self.sizes.rows(step).of(sample, self.cell.kept() * h)];
                        (&y[begin + sample * stride..][..h], &kept[kept.len() - h..])
                    }
                    None => (&first_h[at.clone()], &first_c[at.clone()]),
                };
                before[rows.of(sample, h)].copy_from_slice(h_before);
                cell_before[at].copy_from_slice(c_before);
            }
            let backward = Backward {
                rows,
                r,
                kept,
                before,
                cell_before: &cell_before,
                state: &mut state,
                cell: &mut cell,
                gates,
                more,
            };
            match self.cell {
                Cell::Rnn => rnn_kernel::backward(backward, self.activation),
                Cell::Gru { linear_before_reset } => {
                    gru_kernel::backward(backward, linear_before_reset)
                }
                Cell::Lstm { order, .. } => lstm_kernel::backward(backward, order),
            }
        }
        self.scatter(&state, h0);
        if let Some(c0) = c0 {
            self.scatter(&cell, c0);
        }
    }

    /// What a kept row begins with: the sums of both biases; where the reset gate works on R h' + b',
    /// the biases of the new value apart.
    fn biases(&self, b: Option<&[f32]>) -> Vec<f32> {
        let h = self.sizes.hidden;
        let mut row = vec![0.0; self.cell.kept() * h];
        if let Some(b) = b {
            let (wb, rb) = b.split_at(b.len() / 2);
            row.iter_mut().zip(wb.iter().zip(rb)).for_each(|(to, (w, r))| *to = w + r);
            if self.cell == (Cell::Gru { linear_before_reset: true }) {
                row[2 * h..3 * h].copy_from_slice(&wb[2 * h..]);
                row[3 * h..].copy_from_slice(&rb[2 * h..]);
            }
        }
        row
    }

    /// This direction's rows of a state \[batch, h\]; zeros of nothing.
    fn gathered(&self, given: Option<&[f32]>) -> Vec<f32> {
        let Sequence { batch, hidden: h, .. } = self.sizes;
        let mut state = vec![0.0; batch * h];
        if let Some(given) = given {
            let (first, apart) = self.sizes.state_rows(self.direction);
            for (sample, to) in state.chunks_exact_mut(h).enumerate() {
                to.copy_from_slice(&given[first + sample * apart..][..h]);
            }
        }
        state
    }

    /// Puts this direction's rows into a state.
    fn scatter(&self, rows: &[f32], state: &mut [f32]) {
        let h = self.sizes.hidden;
        let (first, apart) = self.sizes.state_rows(self.direction);
        for (sample, row) in rows.chunks_exact(h).enumerate() {
            state[first + sample * apart..][..h].copy_from_slice(row);
        }
    }
}
