//! Memory and shapes: what every other crate computes on.
//!
//! [`Shape`] is the extent of a tensor in plain (row-major) layout, [`DType`] the type of its
//! elements, [`Tensor`] owns both and the elements; [`Buffer`] is the memory of plans, [`View`] its
//! elements. [`gemm`] is the matrix product used where oneDNN is absent and [`random`] draws
//! numbers that depend on their key alone, never on threads or time.

mod buffer;
mod data;
mod dtype;
mod error;
pub mod gemm;
pub mod math;
pub mod random;
mod shape;
mod tensor;

pub use buffer::{Buffer, Operands, SharedSlice};
pub use data::{Data, Held, View, ViewMut};
pub use dtype::{DType, Element, Wide};
pub use error::Error;
pub use half::{bf16, f16};
pub use shape::Shape;
pub use tensor::Tensor;
