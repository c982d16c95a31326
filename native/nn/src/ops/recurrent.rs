//! Recurrent ops: one cell applied step after step of a sequence.

mod general;
mod lstm;
mod lstm_inference;
mod lstm_kernel;
mod sequence;
mod simple;

pub use general::GateActivation;
pub use lstm::{GateOrder, LSTM};
pub use sequence::Direction;
pub use simple::{GRU, RNN};
