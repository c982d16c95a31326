//! Long short-term memory.

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::lstm_inference::{PackLstm, PackedLstm};
use super::recurrent_op::recurrent_op;
use super::sequence::Direction;
use super::settings::Settings;
use crate::TensorType;
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape};

/// In which order the four gates lie in the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOrder {
    /// Input, output, forget, cell: ONNX.
    #[default]
    Iofc,
    /// Input, forget, cell, output: PyTorch and Keras.
    Ifco,
}

/// Long short-term memory, with c' and h' of the step before and ⊙ element by element:
///
/// i, o, f = σ(W x + R h' + b), g = tanh(W x + R h' + b), c = f ⊙ c' + i ⊙ g, h = o ⊙ tanh c. ONNX
/// `LSTM`.
///
/// Sources: x \[steps, batch, inputs\], w \[d, 4h, inputs\], r \[d, 4h, h\] for d directions; then those
/// that the settings name: b \[d, 8h\] (of w, then of r), sequence_lens \[batch\] (i32), initial_h and
/// initial_c \[d, batch, h\], peepholes p \[d, 3h\] (of i, o, f). Results: y \[steps, d, batch, h\], the
/// last h and c \[d, batch, h\]; one more that only the gradient needs. With `batch_first` (ONNX's
/// `layout` 1): x \[batch, steps, inputs\], y \[batch, steps, d, h\], states \[batch, d, h\].
///
/// There is no gradient with peepholes, sequence_lens, coupled gates, a clip or other activations.
///
/// S. Hochreiter, J. Schmidhuber: "Long short-term memory", Neural Computation 1997.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LSTM {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// Order of the gates in the weights.
    pub order: GateOrder,
    /// For each direction those of gates, cell and result; empty means sigmoid, tanh, tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// The forget gate is 1 − the input gate.
    pub input_forget: bool,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
    /// There are first cells.
    pub initial_c: bool,
    /// There are peepholes.
    pub peepholes: bool,
}

impl LSTM {
    fn settings(&self) -> Settings {
        let Self { bias, sequence_lens, initial_h, initial_c, peepholes, .. } = *self;
        Settings {
            cell: Cell::Lstm { order: self.places(), input_forget: self.input_forget },
            direction: self.direction,
            batch_first: self.batch_first,
            activations: self.activations.clone(),
            clip: self.clip,
            there: [bias, sequence_lens, initial_h, initial_c, peepholes],
        }
    }

    /// Places of input, output, forget and cell gate.
    fn places(&self) -> [usize; 4] {
        match self.order {
            GateOrder::Iofc => [0, 1, 2, 3],
            GateOrder::Ifco => [0, 3, 1, 2],
        }
    }

    /// The two ops that make the first three results with weights that are prepared, and which
    /// sources those are; none for an LSTM that is not the usual one.
    pub(crate) fn packed(&self, src: &[&TensorType]) -> Option<(PackLstm, PackedLstm, Vec<usize>)> {
        let f32 = src.iter().all(|ty| ty.dtype == DType::F32);
        let shapes: Vec<&Shape> = src.iter().map(|ty| &ty.shape).collect();
        let settings = self.settings();
        let sizes = settings.sizes(&shapes).ok()?;
        let some = shapes.iter().all(|shape| !shape.is_empty());
        let pack = PackLstm { places: self.places(), sizes };
        let weights = [Some(1), Some(2), settings.optional().b].into_iter().flatten().collect();
        let packed = PackedLstm { lstm: self.clone(), sizes };
        (settings.is_usual() && f32 && some).then_some((pack, packed, weights))
    }
}

recurrent_op!(LSTM, "LSTM");
