//! Model files: from any bytes to a model and its weights, or to an error.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(layers::model_file::read(bytes)));
