use crate::layer::{Layer, Scope, layer, single};
use crate::{ActivationFunction, Misfit};
use nn::ValueId;
use tensor::Shape;

layer! {
    /// Rectified linear unit: `dst = max(src, 0)`.
    ///
    /// Shapes: dst as src.
    ReLU() {}
}

impl Layer for ReLU {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        single(src).cloned()
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        ActivationFunction::Relu.build(scope, src[0])
    }
}
