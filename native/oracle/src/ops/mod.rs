//! The ops, named as in ONNX.

pub mod batch_normalization;
pub mod conv;
pub mod einsum;
pub mod elementwise;
pub mod index;
pub mod loss;
pub mod matmul;
pub mod pool;
pub mod reduce;
pub mod resize;
pub mod shape;
pub mod softmax;
