//! The plain recurrent net.

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::recurrent_op::recurrent_op;
use super::sequence::Direction;
use super::settings::Settings;
use serde::{Deserialize, Serialize};

/// The plain recurrent net: h = f(W x + R h' + b) with h' of the step before, f tanh or another
/// function. ONNX `RNN`.
///
/// Sources: x \[steps, batch, inputs\], w \[d, h, inputs\], r \[d, h, h\] for d directions; then those
/// that the settings name: b \[d, 2h\] (of w, then of r), sequence_lens \[batch\] (i32), initial_h
/// \[d, batch, h\]. Results: y \[steps, d, batch, h\] and the last h \[d, batch, h\]; one more that
/// only the gradient needs. With `batch_first` (ONNX's `layout` 1): x \[batch, steps, inputs\], y
/// \[batch, steps, d, h\], h \[batch, d, h\].
///
/// There is no gradient with sequence_lens, a clip or other activations than tanh and ReLU.
///
/// J. L. Elman: "Finding structure in time", Cognitive Science 1990.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RNN {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// One for each direction; empty means tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
}

impl RNN {
    fn settings(&self) -> Settings {
        Settings {
            cell: Cell::Rnn,
            direction: self.direction,
            batch_first: self.batch_first,
            activations: self.activations.clone(),
            clip: self.clip,
            there: [self.bias, self.sequence_lens, self.initial_h, false, false],
        }
    }
}

recurrent_op!(RNN, "RNN");
