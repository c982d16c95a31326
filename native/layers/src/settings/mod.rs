//! Arguments that several layers share.

mod activation;
mod initializer;
mod padding;
mod window;

pub use activation::ActivationFunction;
pub use initializer::{Fan, Initializer};
pub use padding::Padding;
pub(crate) use window::Window;

/// Names of all activations, for messages and docs.
pub(crate) fn activation_names() -> String {
    ActivationFunction::ALL.map(|activation| activation.name()).join(", ")
}

/// Names of the initializers without settings, for messages and docs.
pub(crate) fn initializer_names() -> String {
    Initializer::NAMED.map(|(name, _)| name).join(", ")
}
