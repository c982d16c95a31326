use crate::Misfit;
use crate::layer::{Layer, Scope, axis, layer, several};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// Several inputs one after the other along one axis.
    ///
    /// Shapes: every src alike but for the axis; dst has the sum of their sizes there.
    Concatenate() {
        /// Axis along which to join, counted with the batch as axis 0. The default is the channel
        /// axis of images and the only axis of vectors (Keras' −1 is the channel axis of its
        /// channels-last images).
        axis: i64 = 1,
    }
}

impl Layer for Concatenate {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let src = several(src)?;
        let axis = axis(self.axis, &src[0])?;
        let mut dims = src[0].dims().to_vec();
        dims[axis] = 0;
        for shape in src {
            let mut other = shape.dims().to_vec();
            let size = other.get_mut(axis).map(std::mem::take).unwrap_or(0);
            let total = dims[axis];
            dims[axis] = 0;
            if other != dims {
                return Err(Misfit::new(
                    format!("inputs {} and {shape} differ outside axis {}", src[0], self.axis),
                    "Give them the same shape there, or choose another axis.",
                ));
            }
            dims[axis] = total + size;
        }
        Ok(Shape::from(dims))
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        scope.add(ops::Concat { axis: self.axis }, src)
    }
}
