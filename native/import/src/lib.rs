//! Models and tensors in the formats of others.
//!
//! [`onnx`] reads and writes ONNX models and runs them; [`npz`] reads and writes NumPy's arrays.

mod elements;
pub mod npz;
pub mod onnx;
