//! Crate oracle.
