//! Recurrent nodes.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, row};
use nn::ValueId;
use nn::ops::recurrent::{Direction, GateActivation, GateOrder};
use nn::ops::{GRU, LSTM, RNN};

pub(super) const ROWS: &[Row] = &[
    row("RNN", 1, |n| {
        let given = Given::of(n, &[GateActivation::Tanh])?;
        let [bias, sequence_lens, initial_h, ..] = given.optional;
        let op = RNN {
            direction: given.direction,
            batch_first: n.flag("layout"),
            activations: given.activations,
            clip: n.float("clip"),
            bias,
            sequence_lens,
            initial_h,
        };
        finish(n, op, &given.src, 2)
    }),
    row("GRU", 1, |n| {
        let given = Given::of(n, &[GateActivation::Sigmoid, GateActivation::Tanh])?;
        let [bias, sequence_lens, initial_h, ..] = given.optional;
        let op = GRU {
            direction: given.direction,
            batch_first: n.flag("layout"),
            activations: given.activations,
            clip: n.float("clip"),
            linear_before_reset: n.flag("linear_before_reset"),
            bias,
            sequence_lens,
            initial_h,
        };
        finish(n, op, &given.src, 2)
    }),
    row("LSTM", 1, |n| {
        let usual = [GateActivation::Sigmoid, GateActivation::Tanh, GateActivation::Tanh];
        let given = Given::of(n, &usual)?;
        let [bias, sequence_lens, initial_h, initial_c, peepholes] = given.optional;
        let op = LSTM {
            direction: given.direction,
            batch_first: n.flag("layout"),
            order: GateOrder::Iofc,
            activations: given.activations,
            clip: n.float("clip"),
            input_forget: n.flag("input_forget"),
            bias,
            sequence_lens,
            initial_h,
            initial_c,
            peepholes,
        };
        finish(n, op, &given.src, 3)
    }),
];

/// What all recurrent nodes have in common.
struct Given {
    direction: Direction,
    activations: Vec<GateActivation>,
    /// Which of the sources behind the third are there: bias, lengths, first results, first cells,
    /// peepholes.
    optional: [bool; 5],
    /// Those that are there.
    src: Vec<ValueId>,
}

impl Given {
    fn of(n: &Node<'_, '_>, usual: &[GateActivation]) -> Result<Given, Error> {
        let (direction, directions) = match n.text("direction")?.unwrap_or("forward") {
            "forward" => (Direction::Forward, 1),
            "reverse" => (Direction::Reverse, 1),
            "bidirectional" => (Direction::Bidirectional, 2),
            other => return Err(n.fail(format!("the direction {other} is not known"))),
        };
        let mut activations = activations(n)?;
        if activations == usual.repeat(directions) {
            activations.clear();
        }
        let mut optional = [3, 4, 5, 6, 7].map(|i| n.has(i));
        optional[1] &= !whole(n)?;
        let there = (0..3).chain((3..8).filter(|&i| optional[i - 3]));
        let src = there.map(|i| n.input(i)).collect::<Result<_, _>>()?;
        Ok(Given { direction, activations, optional, src })
    }
}

/// True if the lengths are known to be those of the whole sequences.
fn whole(n: &Node<'_, '_>) -> Result<bool, Error> {
    let Some(lengths) = n.has(4).then(|| n.known_ints(4).ok()).flatten() else { return Ok(false) };
    let steps = n.src_type(0)?.dims().get(usize::from(n.flag("layout"))).copied();
    Ok(lengths.iter().all(|&length| usize::try_from(length).ok() == steps))
}

/// The functions of all directions; those that have numbers take them from lists, in their order.
fn activations(n: &Node<'_, '_>) -> Result<Vec<GateActivation>, Error> {
    let numbers = |name: &str| n.floats(name).unwrap_or_default().into_iter();
    let (mut alphas, mut betas) = (numbers("activation_alpha"), numbers("activation_beta"));
    let names = n.texts("activations")?;
    let functions = names.iter().map(|name| {
        let mut alpha = |default| alphas.next().unwrap_or(default);
        let mut beta = |default| betas.next().unwrap_or(default);
        Ok(match name.to_ascii_lowercase().as_str() {
            "relu" => GateActivation::Relu,
            "tanh" => GateActivation::Tanh,
            "sigmoid" => GateActivation::Sigmoid,
            "softsign" => GateActivation::Softsign,
            "softplus" => GateActivation::Softplus,
            "affine" => GateActivation::Affine { alpha: alpha(1.0), beta: beta(0.0) },
            "leakyrelu" => GateActivation::LeakyRelu { alpha: alpha(0.01) },
            "thresholdedrelu" => GateActivation::ThresholdedRelu { alpha: alpha(1.0) },
            "scaledtanh" => GateActivation::ScaledTanh { alpha: alpha(1.0), beta: beta(1.0) },
            "hardsigmoid" => GateActivation::HardSigmoid { alpha: alpha(0.2), beta: beta(0.5) },
            "elu" => GateActivation::Elu { alpha: alpha(1.0) },
            other => return Err(n.fail(format!("the activation {other} is not known"))),
        })
    });
    functions.collect()
}

/// The first `outputs` of what an op makes; what follows is ours.
fn finish(n: &mut Node<'_, '_>, op: impl nn::Op, src: &[ValueId], outputs: usize) -> Made {
    Ok(n.add(op, src)?.into_iter().take(outputs).map(Value::from).collect())
}
