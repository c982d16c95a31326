//! The wrapper against naive loops, with the real library.
//!
//! The library is taken from `FIRESTEEL_ONEDNN` or `target/native/linux-x86_64/libdnnl.so.3`.
//! Without it every test says so and passes, unless `CI=true`.
//!
//! Numbers are small multiples of 1/4 wherever an operation only adds and multiplies, so that f32
//! is exact in any order of summation and results are compared for equality.

mod attr;
mod batch_normalization;
mod convolution;
mod eltwise;
mod errors;
mod inner_product;
mod layer_normalization;
mod layouts;
mod library;
mod lrn;
mod matmul;
mod pairs;
mod pooling;
mod reduction;
mod softmax;
mod support;
mod team;
mod threads;
