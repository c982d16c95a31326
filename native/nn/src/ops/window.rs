//! Arithmetic of sliding windows, shared by convolution and pooling.

use crate::OpError;
use tensor::Shape;

/// A window over the two spatial dimensions of [n, c, h, w].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    /// Padding before and behind.
    pub pads: [[usize; 2]; 2],
}

impl Window {
    /// Window of ONNX attributes; empty lists mean 1 (strides, dilations) and 0 (pads).
    pub fn new(
        kernel: &[usize],
        strides: &[usize],
        dilations: &[usize],
        pads: &[usize],
    ) -> Result<Window, OpError> {
        let pair = |list: &[usize], default: usize, what: &str| match *list {
            [] => Ok([default; 2]),
            [a, b] => Ok([a, b]),
            _ => Err(OpError::mismatch(
                format!("{what} for 2 spatial dimensions"),
                format!("{list:?}"),
                "Give one number per spatial dimension.",
            )),
        };
        let pads = match *pads {
            [] => [[0; 2]; 2],
            [top, left, bottom, right] => [[top, left], [bottom, right]],
            _ => {
                return Err(OpError::mismatch(
                    "pads [top, left, bottom, right]",
                    format!("{pads:?}"),
                    "Give the padding before, then behind, each spatial dimension.",
                ));
            }
        };
        let window = Window {
            kernel: pair(kernel, 1, "kernel_shape")?,
            strides: pair(strides, 1, "strides")?,
            dilations: pair(dilations, 1, "dilations")?,
            pads,
        };
        let all = [window.kernel, window.strides, window.dilations];
        if all.as_flattened().contains(&0) {
            return Err(OpError::mismatch(
                "kernel, strides and dilations of at least 1",
                format!("{all:?}"),
                "Use positive numbers.",
            ));
        }
        Ok(window)
    }

    /// Extent of the dilated kernel in dimension `d`.
    fn extent(&self, d: usize) -> usize {
        (self.kernel[d] - 1) * self.dilations[d] + 1
    }

    /// Spatial size of the result for an [n, c, h, w] source.
    pub fn output(&self, src: &Shape, ceil: bool) -> Result<[usize; 2], OpError> {
        let [_, _, h, w] = *src.dims() else {
            return Err(OpError::mismatch(
                "src [n, c, h, w]",
                src.to_string(),
                "Reshape the input to batch, channels, height, width.",
            ));
        };
        let mut output = [0; 2];
        for (d, size) in [h, w].into_iter().enumerate() {
            let padded = size + self.pads[0][d] + self.pads[1][d];
            let Some(room) = padded.checked_sub(self.extent(d)) else {
                let [kh, kw] = self.kernel;
                return Err(OpError::mismatch(
                    format!("a kernel that fits input {h}×{w} with padding {:?}", self.pads),
                    format!("kernel {kh}×{kw}"),
                    "Use padding = same or a smaller kernel.",
                ));
            };
            let stride = self.strides[d];
            output[d] = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
            // A window that starts in the padding behind the image would see nothing.
            if ceil && (output[d] - 1) * stride >= size + self.pads[0][d] {
                output[d] -= 1;
            }
        }
        Ok(output)
    }

    /// Padding behind that makes the last of `output` windows fit (larger than asked with ceil).
    pub fn padding_behind(&self, src: &Shape, output: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|d| {
            let needed = (output[d].max(1) - 1) * self.strides[d] + self.extent(d);
            needed.saturating_sub(src.dims()[2 + d] + self.pads[0][d])
        })
    }

    /// First and one-past-last result index in dimension `d` at which kernel tap `k` lies inside
    /// a source of `size`, and the source index of the first.
    pub fn taps(&self, d: usize, k: usize, size: usize, output: usize) -> (usize, usize, usize) {
        let (offset, pad, stride) = (k * self.dilations[d], self.pads[0][d], self.strides[d]);
        let first = pad.saturating_sub(offset).div_ceil(stride);
        let last = (size + pad).saturating_sub(offset).div_ceil(stride).min(output);
        if first >= last {
            return (0, 0, 0);
        }
        (first, last, first * stride + offset - pad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_name_exactly_the_results_whose_source_exists() {
        for (size, kernel, stride, dilation, pad) in
            [(7, 3, 2, 1, 1), (5, 5, 1, 1, 4), (9, 2, 3, 3, 0), (1, 3, 1, 1, 1), (6, 3, 2, 2, 3)]
        {
            let pads = [pad; 4];
            let w = Window::new(&[kernel; 2], &[stride; 2], &[dilation; 2], &pads).unwrap();
            let [out, _] = w.output(&Shape::new(&[1, 1, size, size]), false).unwrap();
            for k in 0..kernel {
                let (first, last, at) = w.taps(0, k, size, out);
                let inside = |o: usize| {
                    (o * stride + k * dilation).checked_sub(pad).is_some_and(|i| i < size)
                };
                assert!((0..out).all(|o| inside(o) == (first..last).contains(&o)));
                assert!(first == last || at == first * stride + k * dilation - pad);
            }
        }
    }
}
