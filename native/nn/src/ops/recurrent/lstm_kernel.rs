//! A step of the LSTM with its usual activations.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::pass::{Backward, Forward};
use tensor::gemm::gemm;
use tensor::math;
use tensor::vectorized;

/// The gates i, o, f, g lie in the places that `order` tells; behind them the cell is kept.
pub(super) fn forward(mut step: Forward<'_>, order: [usize; 4]) {
    let h = step.r.rows;
    step.add_state(0..4 * h, 5 * h, 0);
    let Forward { rows, state, cell: cells, kept, .. } = step;
    for (sample, (y, c)) in state.chunks_exact_mut(h).zip(cells.chunks_exact_mut(h)).enumerate() {
        let (gates, kept) = kept[rows.of(sample, 5 * h)].split_at_mut(4 * h);
        cell(&order, gates, c, y);
        kept.copy_from_slice(c);
    }
}

/// Through the cells to the gates, and through those to the state before.
pub(super) fn backward(step: Backward<'_>, order: [usize; 4]) {
    let Backward { rows, r, kept, cell_before, state, cell, gates, .. } = step;
    let h = r.cols;
    for sample in 0..rows.batch {
        let at = sample * h..(sample + 1) * h;
        let (done, c) = kept[rows.of(sample, 5 * h)].split_at(4 * h);
        let gates = &mut gates[rows.of(sample, 4 * h)];
        let (before, dy) = (&cell_before[at.clone()], &state[at.clone()]);
        cell_backward(&order, done, [before, c], dy, &mut cell[at], gates);
    }
    gemm(1.0, rows.matrix(gates, 4 * h, 0..4 * h), r, 0.0, state);
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
    /// c = f·c' + i·g and h = o·tanh c; the gates get their activations.
    fn cell(order: &[usize; 4], row: &mut [f32], c: &mut [f32], y: &mut [f32]) {
        let [i, o, f, g] = gates_mut(order, row);
        i.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        o.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        f.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        g.iter_mut().for_each(|v| *v = math::tanh(*v));
        for ((c, f), (i, g)) in c.iter_mut().zip(&*f).zip(i.iter().zip(&*g)) {
            *c = i * g + f * *c;
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
        let ([i, o, f, g], [before, c, dy]) = ([i, o, f, g].map(|v| &v[..n]), [before, c, dy].map(|v| &v[..n]));
        for k in 0..n {
            let t = math::tanh(c[k]);
            let d = dc[k] + dy[k] * o[k] * (1.0 - t * t);
            d_o[k] = dy[k] * t * o[k] * (1.0 - o[k]);
            di[k] = d * g[k] * i[k] * (1.0 - i[k]);
            dg[k] = d * i[k] * (1.0 - g[k] * g[k]);
            df[k] = d * f[k] * (1.0 - f[k]) * before[k];
            dc[k] = d * f[k];
        }
    }
}
