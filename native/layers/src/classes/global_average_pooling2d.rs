use crate::Misfit;
use crate::layer::{Layer, Scope, layer, single};
use crate::settings::Window;
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// The mean of each channel of an image.
    ///
    /// `dst[c] = mean over y, x of src[c, y, x]`
    ///
    /// Shapes: src `[channels, height, width]`, dst `[channels]`.
    GlobalAveragePooling2D() {
        /// Whether the axes of height and width stay, with size 1: dst `[channels, 1, 1]`.
        keepdims: bool = false,
    }
}

impl Layer for GlobalAveragePooling2D {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let [channels, ..] = Window::image(single(src)?.dims())?;
        Ok(if self.keepdims { Shape::new(&[channels, 1, 1]) } else { Shape::new(&[channels]) })
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims = scope.shape(src[0]).dims().to_vec();
        let pool = ops::AveragePool {
            kernel_shape: vec![dims[2], dims[3]],
            strides: vec![1, 1],
            pads: vec![0; 4],
            ..ops::AveragePool::default()
        };
        let mean = scope.add(pool, src)?;
        if self.keepdims {
            return Ok(mean);
        }
        scope.add(ops::Flatten { axis: 1 }, &[mean])
    }
}
