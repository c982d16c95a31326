//! Crate tensor.
