//! A step of the GRU with its usual activations, the gates in ONNX's order: z, r, g.

#![allow(clippy::needless_range_loop, reason = "places in many slices side by side")]

use super::pass::{Backward, Forward};
use tensor::gemm::{Matrix, gemm};
use tensor::math;
use tensor::vectorized;

/// `linear`: the reset gate works on s = R h' + b', which is kept behind the gates.
pub(super) fn forward(mut step: Forward<'_>, linear: bool) {
    let h = step.r.rows;
    let width = if linear { 4 * h } else { 3 * h };
    step.add_state(0..2 * h, width, 0);
    if linear {
        step.add_state(2 * h..3 * h, width, 3 * h);
    }
    let r = step.columns(2 * h..3 * h);
    let Forward { rows, zero, state, cell: reset, kept, .. } = step;
    for sample in 0..rows.batch {
        let at = sample * h..(sample + 1) * h;
        gates(&mut kept[rows.of(sample, width)], &state[at.clone()], &mut reset[at]);
    }
    if !linear && !zero {
        rows.add_product([Matrix::new(reset, rows.batch, h), r], kept, width, 2 * h);
    }
    for (sample, state) in state.chunks_exact_mut(h).enumerate() {
        result(&mut kept[rows.of(sample, width)], state);
    }
}

/// Through the results to the gates, and through those to the state before.
pub(super) fn backward(step: Backward<'_>, linear: bool) {
    let Backward { rows, r, kept, before, state, cell: reset, gates: diffs, more, .. } = step;
    let h = r.cols;
    let width = if linear { 4 * h } else { 3 * h };
    for (sample, state) in state.chunks_exact_mut(h).enumerate() {
        let row = &kept[rows.of(sample, width)];
        let before = &before[rows.of(sample, h)];
        let diffs = &mut diffs[rows.of(sample, 3 * h)];
        result_backward(row, before, state, diffs);
        if linear {
            linear_backward(row, diffs, &mut more[rows.of(sample, 3 * h)]);
        } else {
            let to = more[rows.of(sample, h)].iter_mut();
            to.zip(before.iter().zip(&row[h..])).for_each(|(to, (before, r))| *to = before * r);
        }
    }
    // What of R belongs to z and r, and to g.
    let (gates, new) = r.data.split_at(2 * h * h);
    if linear {
        gemm(1.0, rows.matrix(more, 3 * h, 0..3 * h), r, 1.0, state);
    } else {
        let dg = rows.matrix(diffs, 3 * h, 2 * h..3 * h);
        gemm(1.0, dg, Matrix::new(new, h, h), 0.0, reset);
        for sample in 0..rows.batch {
            let at = sample * h..(sample + 1) * h;
            let row = &kept[rows.of(sample, width)];
            let before = &before[rows.of(sample, h)];
            let diffs = &mut diffs[rows.of(sample, 3 * h)];
            reset_backward(row, before, &reset[at.clone()], &mut state[at], diffs);
        }
        let dzr = rows.matrix(diffs, 3 * h, 0..2 * h);
        gemm(1.0, dzr, Matrix::new(gates, 2 * h, h), 1.0, state);
    }
}

/// The three gates of a row, and what is behind them.
fn parts(row: &[f32], h: usize) -> [&[f32]; 4] {
    let (z, rest) = row.split_at(h);
    let (r, rest) = rest.split_at(h);
    let (g, s) = rest.split_at(h);
    [z, r, g, s]
}

vectorized! {
    /// z and r get their activations; g becomes g + r·s where there is s, else `reset` r·h'.
    fn gates(row: &mut [f32], before: &[f32], reset: &mut [f32]) {
        let h = before.len();
        let (zr, rest) = row.split_at_mut(2 * h);
        zr.iter_mut().for_each(|v| *v = math::sigmoid(*v));
        let (r, (g, s)) = (&zr[h..], rest.split_at_mut(h));
        if s.is_empty() {
            reset.iter_mut().zip(r.iter().zip(before)).for_each(|(to, (r, h))| *to = r * h);
        } else {
            g.iter_mut().zip(r.iter().zip(&*s)).for_each(|(g, (r, s))| *g += r * s);
        }
    }

    /// g gets its activation; h = (1 − z)·g + z·h'.
    fn result(row: &mut [f32], state: &mut [f32]) {
        let h = state.len();
        let (zr, rest) = row.split_at_mut(2 * h);
        let (z, g) = (&zr[..h], &mut rest[..h]);
        for k in 0..h {
            g[k] = math::tanh(g[k]);
            state[k] = (1.0 - z[k]) * g[k] + z[k] * state[k];
        }
    }

    /// The gradients of z and g before their activations; that of h becomes that of h' in z·h'.
    fn result_backward(row: &[f32], before: &[f32], state: &mut [f32], diffs: &mut [f32]) {
        let h = state.len();
        let ([z, _, g, _], before) = (parts(row, h), &before[..h]);
        let (dz, rest) = diffs.split_at_mut(h);
        let dg = &mut rest[h..2 * h];
        for k in 0..h {
            dz[k] = state[k] * (before[k] - g[k]) * z[k] * (1.0 - z[k]);
            dg[k] = state[k] * (1.0 - z[k]) * (1.0 - g[k] * g[k]);
            state[k] *= z[k];
        }
    }

    /// The gradients of r before its activation and of s, through r·s.
    fn linear_backward(row: &[f32], diffs: &mut [f32], of_state: &mut [f32]) {
        let h = row.len() / 4;
        let [_, r, _, s] = parts(row, h);
        let (dzr, dg) = diffs.split_at_mut(2 * h);
        let (dr, dg) = (&mut dzr[h..], &dg[..h]);
        let ds = &mut of_state[2 * h..3 * h];
        for k in 0..h {
            dr[k] = dg[k] * s[k] * r[k] * (1.0 - r[k]);
            ds[k] = dg[k] * r[k];
        }
        of_state[..2 * h].copy_from_slice(dzr);
    }

    /// The gradients of r before its activation and of h', through r·h' whose gradient is `reset`.
    fn reset_backward(
        row: &[f32],
        before: &[f32],
        reset: &[f32],
        state: &mut [f32],
        diffs: &mut [f32],
    ) {
        let h = state.len();
        let ([_, r, _, _], before, reset) = (parts(row, h), &before[..h], &reset[..h]);
        let dr = &mut diffs[h..2 * h];
        for k in 0..h {
            dr[k] = reset[k] * before[k] * r[k] * (1.0 - r[k]);
            state[k] += reset[k] * r[k];
        }
    }
}
