use crate::Misfit;
use crate::layer::{Layer, Scope, broadcast, layer};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// The sum of several inputs, element by element: `dst = Σₖ srcₖ`.
    ///
    /// Shapes: two or more src that are equal or broadcast (a size of 1 is repeated); dst is
    /// their common shape.
    Add() {}
}

impl Layer for Add {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        broadcast(src)
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        src[1..].iter().try_fold(src[0], |sum, next| scope.add(ops::Add::default(), &[sum, *next]))
    }
}
