//! Crate train.
