//! ONNX models and NumPy's archives: from any bytes to a graph, or to an error.

#![no_main]

#[path = "../../import/tests/reading/mod.rs"]
mod reading;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reading::read(bytes));
