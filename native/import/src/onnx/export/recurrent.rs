//! The nodes of recurrent ops. Runtimes know the layout with the steps first alone, and ONNX one
//! order of the gates; what is laid out otherwise is moved before and after.

use super::form::Form;
use super::forms::int;
use nn::TensorType;
use nn::ops::recurrent::{Direction, GateActivation, GateOrder};
use nn::ops::{GRU, LSTM, RNN};
use std::any::Any;
use tensor::Tensor;

/// The node of a recurrent op.
pub(super) fn of(op: &dyn Any, src: &[&TensorType]) -> Option<Form> {
    let hidden = *src.get(2)?.dims().last()?;
    Some(if let Some(op) = op.downcast_ref::<RNN>() {
        let there = [op.bias, op.sequence_lens, op.initial_h];
        recurrent("RNN", hidden, op.direction, &op.activations, op.clip).placed(
            &there,
            op.batch_first,
            2,
        )
    } else if let Some(op) = op.downcast_ref::<GRU>() {
        let there = [op.bias, op.sequence_lens, op.initial_h];
        recurrent("GRU", hidden, op.direction, &op.activations, op.clip)
            .flag("linear_before_reset", op.linear_before_reset)
            .placed(&there, op.batch_first, 2)
    } else if let Some(op) = op.downcast_ref::<LSTM>() {
        let there = [op.bias, op.sequence_lens, op.initial_h, op.initial_c, op.peepholes];
        let mut form = recurrent("LSTM", hidden, op.direction, &op.activations, op.clip)
            .flag("input_forget", op.input_forget)
            .placed(&there, op.batch_first, 3);
        if op.order == GateOrder::Ifco {
            form.before.extend([(1, reordered(hidden, 1)), (2, reordered(hidden, 1))]);
            form.before.extend(op.bias.then(|| (3, reordered(hidden, 2))));
        }
        form
    } else {
        return None;
    })
}

fn recurrent(
    name: &'static str,
    hidden: usize,
    direction: Direction,
    activations: &[GateActivation],
    clip: Option<f32>,
) -> Form {
    let direction = match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Bidirectional => "bidirectional",
    };
    let mut form = Form::new(name).int("hidden_size", int(hidden)).text("direction", direction);
    if !activations.is_empty() {
        let (names, numbers): (Vec<&str>, Vec<_>) = activations.iter().map(|&a| parts(a)).unzip();
        form = form.texts("activations", &names);
        let alphas: Vec<f32> = numbers.iter().filter_map(|(alpha, _)| *alpha).collect();
        let betas: Vec<f32> = numbers.iter().filter_map(|(_, beta)| *beta).collect();
        for (name, numbers) in [("activation_alpha", alphas), ("activation_beta", betas)] {
            form = if numbers.is_empty() { form } else { form.floats(name, numbers) };
        }
    }
    match clip {
        Some(clip) => form.float("clip", clip),
        None => form,
    }
}

/// ONNX's name of a function, and its numbers.
fn parts(activation: GateActivation) -> (&'static str, (Option<f32>, Option<f32>)) {
    use GateActivation::*;
    match activation {
        Relu => ("Relu", (None, None)),
        Tanh => ("Tanh", (None, None)),
        Sigmoid => ("Sigmoid", (None, None)),
        Softsign => ("Softsign", (None, None)),
        Softplus => ("Softplus", (None, None)),
        Affine { alpha, beta } => ("Affine", (Some(alpha), Some(beta))),
        LeakyRelu { alpha } => ("LeakyRelu", (Some(alpha), None)),
        ThresholdedRelu { alpha } => ("ThresholdedRelu", (Some(alpha), None)),
        ScaledTanh { alpha, beta } => ("ScaledTanh", (Some(alpha), Some(beta))),
        HardSigmoid { alpha, beta } => ("HardSigmoid", (Some(alpha), Some(beta))),
        Elu { alpha } => ("Elu", (Some(alpha), None)),
    }
}

/// From input, forget, cell, output to ONNX's input, output, forget, cell; of so many matrices.
fn reordered(hidden: usize, matrices: usize) -> Form {
    let rows = (0..matrices).flat_map(|m| {
        [0, 3, 1, 2]
            .into_iter()
            .flat_map(move |gate| (0..hidden).map(move |row| int((m * 4 + gate) * hidden + row)))
    });
    Form::new("Gather").int("axis", 1).setting(Tensor::vector(rows.collect::<Vec<i64>>()))
}

impl Form {
    /// Puts the optional sources that are there in their places behind x, w and r.
    fn placed(mut self, there: &[bool], batch_first: bool, outputs: usize) -> Form {
        self.outputs = outputs;
        self.inputs = (0..3).map(Some).collect();
        let mut next = 3;
        for &there in there {
            self.inputs.push(there.then_some(next));
            next += usize::from(there);
        }
        if batch_first {
            let transpose = |perm: &[usize]| Form::new("Transpose").sizes("perm", perm);
            self.before.push((0, transpose(&[1, 0, 2])));
            for i in [5, 6] {
                if let Some(Some(state)) = self.inputs.get(i) {
                    self.before.push((*state, transpose(&[1, 0, 2])));
                }
            }
            self.after.push((0, transpose(&[2, 0, 1, 3])));
            self.after.extend((1..outputs).map(|i| (i, transpose(&[1, 0, 2]))));
        }
        self
    }
}
