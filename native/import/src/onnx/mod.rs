//! ONNX: reading models, running them, making them trainable, writing graphs.
//!
//! A model is built into our graph for concrete input types by partial evaluation: what constants
//! alone decide (shapes, branches, trip counts) is computed while building, so that a plan of fixed
//! shapes is left. Where the values of the inputs decide, the model is run *eagerly*: the same
//! building with the inputs as constants, after which every output is a constant.

mod attributes;
mod build;
mod control;
mod error;
mod export;
mod model;
mod node;
mod plans;
mod proto;
mod reader;
mod table;
mod tensors;
mod value;
mod weights;

pub use error::{Error, Unsupported};
pub use export::{write, write_for_any_batch};
pub use model::OnnxModel;
pub use reader::{Dim, Port};
pub use tensors::read_bytes as read_tensor_bytes;
