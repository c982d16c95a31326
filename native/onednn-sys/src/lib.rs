//! The part of the C interface of oneDNN v3 that firesteel uses, declared by hand and opened at run
//! time.
//!
//! Nothing is linked: [`Functions::open`] loads the library from an absolute path, so building
//! needs no oneDNN. Types, constants and arguments are those of `dnnl.h`; they are equal in all
//! releases from 3.2 on, and every function here exists in 3.2. No function checks anything: the
//! safe side is the crate `onednn`.
//!
//! Source: oneDNN 3.11, `include/oneapi/dnnl/{dnnl,dnnl_common,dnnl_types,dnnl_common_types}.h`
//! (Apache-2.0).

pub mod constants;
mod functions;
mod open;
mod types;

pub use functions::{Functions, GompParallel};
pub use open::OpenError;
pub use types::*;
