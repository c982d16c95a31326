//! Memory and shapes: what every other crate computes on.
//!
//! [`Shape`] is the extent of a tensor in plain (row-major) layout, [`Buffer`] is the memory
//! behind it, [`gemm`] is the matrix product used where oneDNN is absent and [`random`] draws
//! numbers that depend on their key alone, never on threads or time.

mod buffer;
mod error;
pub mod gemm;
pub mod random;
mod shape;

pub use buffer::{Buffer, Operands, SharedSlice};
pub use error::Error;
pub use shape::Shape;
