//! Crate layers.
