use crate::Misfit;
use crate::layer::{Layer, Scope, axis, layer, single};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// Probabilities along one axis: `dst[i] = exp(src[i]) / Σⱼ exp(src[j])`.
    ///
    /// Shapes: dst as src. Not for the output of a model that is trained with CrossEntropy, which
    /// takes logits.
    Softmax() {
        /// Axis of the classes, counted with the batch as axis 0; −1 is the last.
        axis: i64 = -1,
    }
}

impl Layer for Softmax {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        axis(self.axis, shape)?;
        Ok(shape.clone())
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        scope.add(ops::Softmax { axis: self.axis }, src)
    }
}
