//! The LSTM with its usual activations, forward and backward through time.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::sequence::Sequence;
use tensor::gemm::{Matrix, gemm, gemm_rows};
use tensor::math;
use tensor::vectorized;

/// One direction of an LSTM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub sizes: Sequence,
    pub direction: usize,
    pub reversed: bool,
    /// Places of input, output, forget and cell gate among the four.
    pub order: [usize; 4],
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
    pub c: &'a mut [f32],
    /// Gates \[rows, 4·hidden\] after their activations.
    pub gates: &'a mut [f32],
    /// Cells \[rows, hidden\].
    pub cells: &'a mut [f32],
}

/// What backward gives.
pub(super) struct Gradients<'a> {
    /// Of the gates before their activations \[rows, 4·hidden\].
    pub gates: &'a mut [f32],
    /// The result before each step \[rows, hidden\], which the gates were made of.
    pub before: &'a mut [f32],
    /// Of the initial states of all directions.
    pub h0: &'a mut [f32],
    pub c0: &'a mut [f32],
}

impl Pass {
    /// Number of the row of a step and sample, in x, gates and cells.
    fn row(&self, step: usize, sample: usize) -> usize {
        let (per_step, per_sample) = self.sizes.row_strides();
        step * per_step + sample * per_sample
    }

    /// The results.
    pub fn forward(&self, src: Weights<'_>, dst: Results<'_>) {
        let Sequence { steps, batch, inputs, hidden: h, .. } = self.sizes;
        let rows = steps * batch;
        let Results { y, h: last_h, c: last_c, gates, cells } = dst;
        // All inputs at once, on top of the biases.
        match src.b {
            Some(b) => {
                let (wb, rb) = b.split_at(4 * h);
                for row in gates.chunks_exact_mut(4 * h) {
                    row.iter_mut().zip(wb.iter().zip(rb)).for_each(|(g, (w, r))| *g = w + r);
                }
            }
            None => gates.fill(0.0),
        }
        let (x, w) = (Matrix::new(src.x, rows, inputs), Matrix::new(src.w, 4 * h, inputs));
        gemm(1.0, x, w.transposed(), 1.0, gates);
        // Rows of products with each part of the state are read again at every step.
        let mut transposed = vec![0.0; 4 * h * h];
        for (k, row) in src.r.chunks_exact(h.max(1)).enumerate() {
            row.iter().enumerate().for_each(|(i, &r)| transposed[i * 4 * h + k] = r);
        }
        let r = Matrix::new(&transposed, h, 4 * h);
        let (_, samples_apart) = self.sizes.row_strides();
        let (first, apart) = self.sizes.state_rows(self.direction);
        let mut before: Option<usize> = None;
        for step in self.sizes.order(self.reversed) {
            let at = self.row(step, 0);
            let state = match before {
                Some(step) => Some((&*y, self.sizes.y_rows(step, self.direction))),
                None => src.h0.map(|h0| (h0, (first, apart))),
            };
            if let Some((state, (begin, stride))) = state {
                let state = Matrix { row_stride: stride, ..Matrix::new(&state[begin..], batch, h) };
                gemm_rows(1.0, state, r, 1.0, &mut gates[at * 4 * h..], samples_apart * 4 * h);
            }
            let (y_begin, y_stride) = self.sizes.y_rows(step, self.direction);
            for sample in 0..batch {
                let row = self.row(step, sample);
                let (done, open) = if let Some(step) = before {
                    let other = self.row(step, sample);
                    pair(cells, other, row, h)
                } else {
                    let c0 = src.c0.map_or(&[][..], |c0| &c0[first + sample * apart..][..h]);
                    (c0, &mut cells[row * h..][..h])
                };
                let y = &mut y[y_begin + sample * y_stride..][..h];
                let order = &self.order;
                cell(order, &mut gates[row * 4 * h..][..4 * h], done, open, y);
            }
            before = Some(step);
        }
        let Some(step) = before else { return };
        let (y_begin, y_stride) = self.sizes.y_rows(step, self.direction);
        for sample in 0..batch {
            let to = first + sample * apart..first + sample * apart + h;
            last_h[to.clone()].copy_from_slice(&y[y_begin + sample * y_stride..][..h]);
            last_c[to].copy_from_slice(&cells[self.row(step, sample) * h..][..h]);
        }
    }

    /// The gradients; `dy`, `dh`, `dc` are those of the results, nothing where there is none.
    pub fn backward(
        &self,
        src: Weights<'_>,
        [y, gates, cells]: [&[f32]; 3],
        [dy, dh, dc]: [Option<&[f32]>; 3],
        dst: Gradients<'_>,
    ) {
        let Sequence { batch, hidden: h, .. } = self.sizes;
        let (first, apart) = self.sizes.state_rows(self.direction);
        let Gradients { gates: dgates, before, h0, c0 } = dst;
        let mut state = vec![0.0; batch * h];
        let mut cell = vec![0.0; batch * h];
        for sample in 0..batch {
            let from = first + sample * apart..first + sample * apart + h;
            for (to, given) in [(&mut state, dh), (&mut cell, dc)] {
                if let Some(given) = given {
                    to[sample * h..][..h].copy_from_slice(&given[from.clone()]);
                }
            }
        }
        let r = Matrix::new(src.r, 4 * h, h);
        let order: Vec<usize> = self.sizes.order(self.reversed).collect();
        let (_, samples_apart) = self.sizes.row_strides();
        for (n, &step) in order.iter().enumerate().rev() {
            let previous = n.checked_sub(1).map(|n| order[n]);
            let (y_begin, y_stride) = self.sizes.y_rows(step, self.direction);
            for sample in 0..batch {
                let row = self.row(step, sample);
                let at = sample * h..(sample + 1) * h;
                if let Some(dy) = dy {
                    let dy = &dy[y_begin + sample * y_stride..][..h];
                    state[at.clone()].iter_mut().zip(dy).for_each(|(d, dy)| *d += dy);
                }
                let from = first + sample * apart;
                let (c_before, h_before) = match previous {
                    Some(step) => {
                        let (begin, stride) = self.sizes.y_rows(step, self.direction);
                        let c = &cells[self.row(step, sample) * h..][..h];
                        (c, &y[begin + sample * stride..][..h])
                    }
                    None => (
                        src.c0.map_or(&[][..], |c0| &c0[from..][..h]),
                        src.h0.map_or(&[][..], |h0| &h0[from..][..h]),
                    ),
                };
                match h_before {
                    [] => before[row * h..][..h].fill(0.0),
                    h_before => before[row * h..][..h].copy_from_slice(h_before),
                }
                cell_backward(
                    &self.order,
                    &gates[row * 4 * h..][..4 * h],
                    [c_before, &cells[row * h..][..h]],
                    &state[at.clone()],
                    &mut cell[at],
                    &mut dgates[row * 4 * h..][..4 * h],
                );
            }
            let at = self.row(step, 0) * 4 * h;
            let stride = samples_apart * 4 * h;
            let step = Matrix { row_stride: stride, ..Matrix::new(&dgates[at..], batch, 4 * h) };
            gemm(1.0, step, r, 0.0, &mut state);
        }
        for sample in 0..batch {
            let to = first + sample * apart..first + sample * apart + h;
            h0[to.clone()].copy_from_slice(&state[sample * h..][..h]);
            c0[to].copy_from_slice(&cell[sample * h..][..h]);
        }
    }
}

/// Row `from` to be read and row `to` to be written.
fn pair(rows: &mut [f32], from: usize, to: usize, len: usize) -> (&[f32], &mut [f32]) {
    let (low, high) = rows.split_at_mut(from.max(to) * len);
    if from < to {
        (&low[from * len..][..len], &mut high[..len])
    } else {
        (&high[..len], &mut low[to * len..][..len])
    }
}

/// The four gates of a row: input, output, forget, cell.
fn gates<'a>(order: &[usize; 4], row: &'a [f32]) -> [&'a [f32]; 4] {
    let h = row.len() / 4;
    order.map(|place| &row[place * h..(place + 1) * h])
}

fn gates_mut<'a>(order: &[usize; 4], row: &'a mut [f32]) -> [&'a mut [f32]; 4] {
    let (low, high) = row.split_at_mut(row.len() / 2);
    let (half, rest) = (low.len() / 2, high.len() / 2);
    let ((a, b), (c, d)) = (low.split_at_mut(half), high.split_at_mut(rest));
    let mut all = [Some(a), Some(b), Some(c), Some(d)];
    order.map(|place| all[place].take().unwrap_or_default())
}

vectorized! {
    /// c = f·c' + i·g and y = o·tanh c; the gates get their activations. No `before` means c' = 0.
    fn cell(
        order: &[usize; 4],
        row: &mut [f32], before: &[f32],
        c: &mut [f32],
        y: &mut [f32],
    ) {
        let [i, o, f, g] = gates_mut(order, row);
        i.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        o.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        f.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        g.iter_mut().for_each(|v| *v = math::tanh(*v));
        for (c, (i, g)) in c.iter_mut().zip(i.iter().zip(&*g)) {
            *c = i * g;
        }
        if !before.is_empty() {
            for (c, (f, before)) in c.iter_mut().zip(f.iter().zip(before)) {
                *c += f * before;
            }
        }
        for (y, (o, &c)) in y.iter_mut().zip(o.iter().zip(&*c)) {
            *y = o * math::tanh(c);
        }
    }

    /// The gradient of the gates before their activations; `dc` goes from this step's cell to the
    /// one before.
    fn cell_backward(
        order: &[usize; 4],
        row: &[f32],
        [before, c]: [&[f32]; 2],
        dy: &[f32],
        dc: &mut [f32],
        diffs: &mut [f32],
    ) {
        let ([i, o, f, g], [di, d_o, df, dg]) = (gates(order, row), gates_mut(order, diffs));
        let n = dc.len();
        let ([i, o, f, g], [c, dy]) = ([i, o, f, g].map(|v| &v[..n]), [c, dy].map(|v| &v[..n]));
        for k in 0..n {
            let t = math::tanh(c[k]);
            let d = dc[k] + dy[k] * o[k] * (1.0 - t * t);
            d_o[k] = dy[k] * t * o[k] * (1.0 - o[k]);
            di[k] = d * g[k] * i[k] * (1.0 - i[k]);
            dg[k] = d * i[k] * (1.0 - g[k] * g[k]);
            df[k] = d * f[k] * (1.0 - f[k]);
            dc[k] = d * f[k];
        }
        if before.is_empty() {
            df.fill(0.0);
        } else {
            df.iter_mut().zip(before).for_each(|(df, before)| *df *= before);
        }
    }
}
