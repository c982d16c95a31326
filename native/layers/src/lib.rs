//! Keras-style layers: a model as a JSON definition, checked, and turned into a graph of ops.
//!
//! Every layer is one file in [`classes`]; [`catalogue`] lists them with their arguments, types,
//! defaults and docs, and the Scala classes are generated from that list ([`scala`]). A [`Model`]
//! is a checked [`Definition`]: it knows its parameters (named ranges of one flat vector), its
//! shapes, and builds the [`nn::Graph`] of a batch. A model file ([`model_file`]) is a
//! safetensors file whose metadata holds the definition.
//!
//! ```
//! use layers::{ActivationFunction, Conv2D, Definition, Dense, Flatten, MaxPooling2D, Model};
//!
//! let definition = Definition::new("small")
//!     .input("image", &[1, 28, 28])
//!     .layer("conv", Conv2D { activation: ActivationFunction::Relu, ..Conv2D::new(6, [5, 5]) }, &["image"])
//!     .layer("pool", MaxPooling2D::new(), &["conv"])
//!     .layer("flat", Flatten::new(), &["pool"])
//!     .layer("dense", Dense::new(10), &["flat"])
//!     .output("dense");
//! let model = Model::new(definition)?;
//! assert_eq!(model.output_shape().dims(), [10]);
//! assert_eq!(Model::from_json(&model.to_json())?.to_json(), model.to_json());
//! # Ok::<(), layers::Error>(())
//! ```

pub mod argument;
pub mod catalogue;
mod checker;
pub mod classes;
mod definition;
mod error;
mod layer;
mod model;
pub mod model_file;
pub mod scala;
mod settings;

pub use classes::*;
pub use definition::{Definition, InputDefinition, LayerDefinition};
pub use error::{Error, Misfit, Result};
pub use layer::{Described, Layer, LayerClass, Scope, Weight};
pub use model::{LayerSummary, Model};
pub use settings::{ActivationFunction, Initializer, Padding};
