//! The ops, named as in ONNX.

pub mod attention;
pub mod batch_normalization;
pub mod conv;
pub mod einsum;
pub mod elementwise;
pub mod gelu;
pub mod index;
pub mod loss;
pub mod lrn;
pub mod matmul;
pub mod pool;
pub mod recurrent;
pub mod reduce;
pub mod resize;
pub mod row_normalization;
pub mod shape;
pub mod softmax;
