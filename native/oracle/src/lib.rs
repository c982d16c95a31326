//! Every op as plain loops in f64: what the kernels are tested against. Used by tests only.
//!
//! The code follows the op's definition (ONNX) as directly as can be, without regard to speed, and
//! shares nothing with the engine. Backward functions are derived by hand and checked here against
//! [`gradient::finite_differences`]. Shapes that do not fit panic: a test that passes them is wrong.

mod array;
pub mod gradient;
pub mod ops;

pub use array::Array;
