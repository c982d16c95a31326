//! Crate onednn.
