//! The operations: one file each, functions that make a [`PrimitiveDesc`](crate::PrimitiveDesc).
//!
//! Each documents the arguments to bind ([`arg`](crate::arg)). `SCRATCHPAD` belongs to every one
//! of them and is not repeated. Backward functions take the forward descriptor as a hint: it must
//! have been made for training, with the same settings.
//!
//! All of them fail with [`Error::NotLoaded`](crate::Error::NotLoaded) before
//! [`load`](crate::load), with [`Error::Status`](crate::Error::Status) if shapes or settings do
//! not fit, and with [`Error::Unimplemented`](crate::Error::Unimplemented) if oneDNN has no code
//! for the combination of data types and layouts.

pub mod batch_normalization;
pub mod binary;
pub mod concat;
pub mod convolution;
pub mod deconvolution;
pub mod eltwise;
pub mod inner_product;
pub mod layer_normalization;
pub mod lrn;
pub mod matmul;
pub mod pooling;
pub mod reduction;
pub mod reorder;
pub mod softmax;
pub mod sum;
mod window;
