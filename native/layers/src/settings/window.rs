//! The window of a convolution or a pool: which padding it needs and how large its result is.

use crate::Misfit;
use crate::settings::Padding;
use tensor::Shape;

/// A window that slides over an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// What slides: "kernel" or "pool".
    pub what: &'static str,
    /// Height and width.
    pub size: [usize; 2],
    /// Rows and columns between two positions.
    pub strides: [usize; 2],
    /// Distance between neighbouring elements of the window.
    pub dilation: [usize; 2],
    /// What surrounds the image.
    pub padding: Padding,
}

impl Window {
    /// Channels, height and width of an image per sample.
    pub fn image(src: &[usize]) -> Result<[usize; 3], Misfit> {
        src.try_into().map_err(|_| {
            Misfit::new(
                format!("expected an image [channels, height, width], got {} axes", src.len()),
                "Put it after an image input, or add a Reshape before it.",
            )
        })
    }

    /// Shape of the result of pooling images of the shape `src`.
    pub fn pooled(&self, src: &Shape) -> Result<Shape, Misfit> {
        let [channels, height, width] = Self::image(src.dims())?;
        let image = [height, width];
        let [top, left, bottom, right] = self.pads(image);
        if top.max(bottom) >= self.size[0] || left.max(right) >= self.size[1] {
            return Err(Misfit::new(
                format!(
                    "padding {top}, {left}, {bottom}, {right} holds a whole window of {}×{}",
                    self.size[0], self.size[1]
                ),
                "Use a padding smaller than pool_size on each side.",
            ));
        }
        let [height, width] = self.output(image)?;
        Ok(Shape::new(&[channels, height, width]))
    }

    /// Rows and columns of zeros around an image of the given height and width, in the order of
    /// ONNX: top, left, bottom, right.
    pub fn pads(&self, image: [usize; 2]) -> [usize; 4] {
        match self.padding {
            Padding::Valid => [0; 4],
            Padding::Explicit { top, left, bottom, right } => [top, left, bottom, right],
            Padding::Same => {
                let total = |axis: usize| {
                    let positions = image[axis].div_ceil(self.strides[axis]);
                    let covered = positions.saturating_sub(1) * self.strides[axis];
                    (covered + self.extent(axis)).saturating_sub(image[axis])
                };
                let [rows, columns] = [total(0), total(1)];
                [rows / 2, columns / 2, rows - rows / 2, columns - columns / 2]
            }
        }
    }

    /// Height and width of the result for an image of the given height and width.
    pub fn output(&self, image: [usize; 2]) -> Result<[usize; 2], Misfit> {
        let [top, left, bottom, right] = self.pads(image);
        let padded = [image[0] + top + bottom, image[1] + left + right];
        let fits = (0..2).all(|axis| self.extent(axis) <= padded[axis]);
        if !fits {
            let dilated = match self.dilation {
                [1, 1] => String::new(),
                [h, w] => format!(" with dilation {h}×{w}"),
            };
            return Err(Misfit::new(
                format!(
                    "{} {}×{}{dilated} does not fit input {}×{} with padding {top}, {left}, \
                     {bottom}, {right}",
                    self.what, self.size[0], self.size[1], image[0], image[1]
                ),
                format!("Use padding = same or a smaller {}.", self.what),
            ));
        }
        Ok([0, 1].map(|axis| (padded[axis] - self.extent(axis)) / self.strides[axis] + 1))
    }

    /// Rows (axis 0) or columns (axis 1) that the window spans.
    fn extent(&self, axis: usize) -> usize {
        (self.size[axis] - 1) * self.dilation[axis] + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: usize, stride: usize, dilation: usize, padding: Padding) -> Window {
        Window {
            what: "kernel",
            size: [size; 2],
            strides: [stride; 2],
            dilation: [dilation; 2],
            padding,
        }
    }

    #[test]
    fn same_padding_is_that_of_keras() {
        // (src, size, stride, dilation) → begin, end, dst: values of tf.nn.conv2d(padding="SAME").
        for (src, size, stride, dilation, begin, end, dst) in [
            (5, 3, 1, 1, 1, 1, 5),
            (5, 2, 1, 1, 0, 1, 5),
            (224, 7, 2, 1, 2, 3, 112),
            (112, 3, 2, 1, 0, 1, 56),
            (7, 3, 2, 1, 1, 1, 4),
            (6, 1, 4, 1, 0, 0, 2),
            (9, 3, 1, 2, 2, 2, 9),
        ] {
            let window = window(size, stride, dilation, Padding::Same);
            assert_eq!(window.pads([src; 2]), [begin, begin, end, end]);
            assert_eq!(window.output([src; 2]), Ok([dst; 2]));
        }
    }

    #[test]
    fn explicit_padding_is_that_of_pytorch() {
        assert_eq!(window(7, 2, 1, Padding::all(3)).output([224, 224]), Ok([112, 112]));
        assert_eq!(window(3, 2, 1, Padding::all(1)).output([112, 111]), Ok([56, 56]));
    }

    #[test]
    fn window_larger_than_the_image_is_refused() {
        let misfit = window(5, 1, 1, Padding::Valid).output([3, 3]).unwrap_err();
        assert_eq!(misfit.problem, "kernel 5×5 does not fit input 3×3 with padding 0, 0, 0, 0");
        assert_eq!(misfit.remedy, "Use padding = same or a smaller kernel.");
    }
}
