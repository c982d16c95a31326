use crate::Misfit;
use crate::layer::{Layer, Scope, layer, single};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// All axes of a sample as one, the last one running fastest.
    ///
    /// Shapes: src `[a, b, …]`, dst `[a · b · …]`.
    Flatten() {}
}

impl Layer for Flatten {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        Ok(Shape::new(&[single(src)?.len()]))
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        scope.add(ops::Flatten { axis: 1 }, src)
    }
}
