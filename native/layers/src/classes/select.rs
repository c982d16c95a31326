use crate::Misfit;
use crate::layer::{Layer, Scope, axis, layer, single};
use nn::{ValueId, ops};
use tensor::{Shape, Tensor};

layer! {
    /// One place along an axis, which goes away: `dst[…] = src[…, index, …]`.
    ///
    /// Shapes: dst is src without the axis.
    Select(
        /// The axis; 1 is the first one after the batch, −1 the last.
        axis: i64,
        /// The place, from 0, or from −1 at the end.
        index: i64,
    ) {}
}

impl Layer for Select {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        let axis = axis(self.axis, shape)?;
        let mut dims = shape.dims().to_vec();
        let extent = dims.remove(axis) as i64;
        if self.index < -extent || self.index >= extent {
            return Err(Misfit::new(
                format!("index {} is not one of {extent} places", self.index),
                "Places count from 0, or from -1 at the end.",
            ));
        }
        Ok(Shape::from(dims))
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let index = scope.constant(Tensor::scalar(self.index));
        scope.add(ops::Gather { axis: self.axis }, &[src[0], index])
    }
}
