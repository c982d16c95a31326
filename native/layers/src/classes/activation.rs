use crate::layer::{Layer, Scope, layer, single};
use crate::{ActivationFunction, Misfit};
use nn::ValueId;
use tensor::Shape;

layer! {
    /// A function by name.
    ///
    /// Shapes: dst as src. The softmaxes run along the last axis.
    Activation(
        /// The function.
        activation: ActivationFunction,
    ) {}
}

impl Layer for Activation {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        single(src).cloned()
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        self.activation.build(scope, src[0])
    }
}
