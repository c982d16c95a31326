//! Crate onednn-sys.
