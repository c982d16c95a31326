//! The gated recurrent unit.

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::recurrent_op::recurrent_op;
use super::sequence::Direction;
use super::settings::Settings;
use serde::{Deserialize, Serialize};

/// The gated recurrent unit, with h' of the step before and ⊙ element by element:
///
/// z, r = σ(W x + R h' + b), g = tanh(W x + R (r ⊙ h') + b), h = (1 − z) ⊙ g + z ⊙ h'; with
/// `linear_before_reset` g = tanh(W x + b + r ⊙ (R h' + b')). ONNX `GRU`.
///
/// Sources and results as those of [`RNN`](super::RNN), with w \[d, 3h, inputs\], r \[d, 3h, h\],
/// b \[d, 6h\].
///
/// There is no gradient with sequence_lens, a clip or other activations.
///
/// K. Cho et al.: "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GRU {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// Those of gates and result for each direction; empty means sigmoid, tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// The reset gate works on R h' instead of h'.
    pub linear_before_reset: bool,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
}

impl GRU {
    fn settings(&self) -> Settings {
        Settings {
            cell: Cell::Gru { linear_before_reset: self.linear_before_reset },
            direction: self.direction,
            batch_first: self.batch_first,
            activations: self.activations.clone(),
            clip: self.clip,
            there: [self.bias, self.sequence_lens, self.initial_h, false, false],
        }
    }
}

recurrent_op!(GRU, "GRU");
