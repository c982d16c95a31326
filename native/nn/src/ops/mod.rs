//! The ops, one file each: settings, shapes, gradient, cost, oneDNN primitive, plain kernel.

mod activation;
mod binary;
mod concat;
mod conv;
mod dropout;
mod flatten;
mod gemm;
mod log_softmax;
mod matmul;
mod mean_squared_error;
mod reshape;
mod softmax;
mod softmax_cross_entropy;
mod sum_to;
mod window;

pub use activation::{Relu, Sigmoid, Tanh};
pub use binary::{Add, Mul};
pub use concat::Concat;
pub use conv::Conv;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use gemm::Gemm;
pub use log_softmax::LogSoftmax;
pub use matmul::MatMul;
pub use mean_squared_error::MeanSquaredError;
pub use reshape::Reshape;
pub use softmax::Softmax;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
