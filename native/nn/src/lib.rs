//! Crate nn.
