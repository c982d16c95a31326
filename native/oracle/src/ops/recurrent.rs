//! Recurrent cells, one step at a time.

use crate::Array;

/// W·x + R·h + b of one gate, `gate` of `gates`: rows `gate · hidden …` of both matrices.
fn gate(weights: [&Array; 3], gate: usize, x: &[f64], h: &[f64]) -> Vec<f64> {
    let [w, r, b] = weights;
    let (hidden, all) = (h.len(), b.data.len() / 2);
    let dot = |row: &[f64], x: &[f64]| row.iter().zip(x).map(|(a, b)| a * b).sum::<f64>();
    let row = |k: usize| {
        let at = gate * hidden + k;
        let (w, r) = (&w.data[at * x.len()..][..x.len()], &r.data[at * hidden..][..hidden]);
        dot(w, x) + dot(r, h) + b.data[at] + b.data[all + at]
    };
    (0..hidden).map(row).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One step of an LSTM with the gates i, o, f, c in this order of `places`; new h and c.
///
/// - weights: w `[4·hidden, inputs]`, r `[4·hidden, hidden]`, b `[8·hidden]` (of w, then of r)
pub fn lstm(
    weights: [&Array; 3],
    places: [usize; 4],
    x: &[f64],
    h: &[f64],
    c: &[f64],
) -> [Vec<f64>; 2] {
    let [i, o, f, g] = places.map(|place| gate(weights, place, x, h));
    let cell: Vec<f64> =
        (0..h.len()).map(|k| sigmoid(f[k]) * c[k] + sigmoid(i[k]) * g[k].tanh()).collect();
    let y = (0..h.len()).map(|k| sigmoid(o[k]) * cell[k].tanh()).collect();
    [y, cell]
}

/// One step of a GRU with the gates z, r, h; the new h.
pub fn gru([w, r, b]: [&Array; 3], linear_before_reset: bool, x: &[f64], h: &[f64]) -> Vec<f64> {
    let hidden = h.len();
    let [z, reset] = [0, 1].map(|at| gate([w, r, b], at, x, h));
    let [z, reset] = [z, reset].map(|gate| gate.into_iter().map(sigmoid).collect::<Vec<_>>());
    let new: Vec<f64> = if linear_before_reset {
        let nothing = Array::zeros(&r.dims);
        let only = |side: usize| {
            Array::from_fn(
                &b.dims,
                |i| if i[0] / (3 * hidden) == side { b.data[i[0]] } else { 0.0 },
            )
        };
        let from_x = gate([w, &nothing, &only(0)], 2, x, h);
        let from_h = gate([&Array::zeros(&w.dims), r, &only(1)], 2, x, h);
        (0..hidden).map(|k| from_x[k] + reset[k] * from_h[k]).collect()
    } else {
        let h: Vec<f64> = h.iter().zip(&reset).map(|(h, r)| h * r).collect();
        gate([w, r, b], 2, x, &h)
    };
    (0..hidden).map(|k| (1.0 - z[k]) * new[k].tanh() + z[k] * h[k]).collect()
}

/// One step of a plain recurrent net with a function such as tanh; the new h.
pub fn rnn(weights: [&Array; 3], function: fn(f64) -> f64, x: &[f64], h: &[f64]) -> Vec<f64> {
    gate(weights, 0, x, h).into_iter().map(function).collect()
}
