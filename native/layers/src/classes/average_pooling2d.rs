use crate::layer::{Layer, Scope, layer, single};
use crate::settings::Window;
use crate::{Misfit, Padding};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// The mean of each window of an image, channel by channel.
    ///
    /// `dst[c, y, x] = mean over r, q of src[c, y · stride + r − top, x · stride + q − left]`
    ///
    /// Shapes: src `[channels, height, width]`, dst `[channels, height', width']`. Only elements
    /// inside the image count.
    AveragePooling2D() {
        /// Height and width of the window.
        pool_size: [usize; 2] = [2, 2],
        /// Rows and columns from one window to the next; nothing: `pool_size`.
        strides: Option<[usize; 2]> = None,
        /// Rows and columns around the image; each side smaller than the window.
        padding: Padding = Padding::Valid,
    }
}

impl AveragePooling2D {
    fn window(&self) -> Window {
        Window {
            what: "pool",
            size: self.pool_size,
            strides: self.strides.unwrap_or(self.pool_size),
            dilation: [1, 1],
            padding: self.padding,
        }
    }
}

impl Layer for AveragePooling2D {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        self.window().pooled(single(src)?)
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims = scope.shape(src[0]).dims().to_vec();
        let window = self.window();
        let pool = ops::AveragePool {
            kernel_shape: window.size.into(),
            strides: window.strides.into(),
            pads: window.pads([dims[2], dims[3]]).into(),
            ..ops::AveragePool::default()
        };
        scope.add(pool, src)
    }
}
