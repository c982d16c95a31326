//! A step of the plain recurrent net with tanh or ReLU.

use super::gate_activation::GateActivation;
use super::pass::{Backward, Forward};
use tensor::gemm::gemm;
use tensor::math;
use tensor::vectorized;

pub(super) fn forward(mut step: Forward<'_>, activation: GateActivation) {
    let h = step.r.rows;
    step.add_state(0..h, h, 0);
    let Forward { rows, state, kept, .. } = step;
    for (sample, y) in state.chunks_exact_mut(h).enumerate() {
        let kept = &mut kept[rows.of(sample, h)];
        match activation {
            GateActivation::Relu => kept.iter_mut().for_each(|v| *v = v.max(0.0)),
            _ => tanh(kept),
        }
        y.copy_from_slice(kept);
    }
}

pub(super) fn backward(step: Backward<'_>, activation: GateActivation) {
    let Backward { rows, r, kept, state, gates, .. } = step;
    let h = r.cols;
    for (sample, dy) in state.chunks_exact(h).enumerate() {
        let y = &kept[rows.of(sample, h)];
        let diffs = gates[rows.of(sample, h)].iter_mut().zip(dy.iter().zip(y));
        match activation {
            GateActivation::Relu => {
                diffs.for_each(|(d, (dy, &y))| *d = if y > 0.0 { *dy } else { 0.0 });
            }
            _ => diffs.for_each(|(d, (dy, y))| *d = dy * (1.0 - y * y)),
        }
    }
    gemm(1.0, rows.matrix(gates, h, 0..h), r, 0.0, state);
}

vectorized! {
    fn tanh(row: &mut [f32]) {
        row.iter_mut().for_each(|v| *v = math::tanh(*v));
    }
}
