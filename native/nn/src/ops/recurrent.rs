//! Recurrent ops: one cell applied step after step of a sequence.

mod cell;
mod gate_activation;
mod general;
mod gradient;
mod gru;
mod gru_kernel;
mod lstm;
mod lstm_inference;
mod lstm_kernel;
mod pass;
mod recurrent_op;
mod rnn;
mod rnn_kernel;
mod sequence;
mod settings;

pub use gate_activation::GateActivation;
pub use gru::GRU;
pub use lstm::{GateOrder, LSTM};
pub use rnn::RNN;
pub use sequence::Direction;
