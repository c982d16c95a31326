//! What max and average pooling share: sizes and the walk over their windows.

use super::window::Window;
use crate::OpError;
use onednn::ops::pooling;
use std::ops::Range;
use tensor::Shape;

/// A pooling with all its sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    n: usize,
    c: usize,
    src: [usize; 2],
    dst: [usize; 2],
    padding_behind: [usize; 2],
    window: Window,
}

/// One window over one plane of the source.
pub(crate) struct Taps {
    /// Where its result is.
    pub dst: usize,
    /// Where the plane starts.
    pub plane: usize,
    /// Rows of the plane that it covers.
    pub rows: Range<usize>,
    /// Columns of the plane that it covers.
    pub columns: Range<usize>,
    /// Places that it covers in the padded plane.
    pub padded: usize,
}

impl Taps {
    /// Places that it covers inside the source.
    pub fn inside(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The covered elements in row-major order, as positions in a source of this width.
    pub fn positions(&self, width: usize) -> impl Iterator<Item = usize> {
        let (plane, columns) = (self.plane, self.columns.clone());
        self.rows
            .clone()
            .flat_map(move |row| columns.clone().map(move |column| plane + row * width + column))
    }
}

impl Pool {
    /// Pooling with ONNX attributes of an [n, c, h, w] source.
    pub fn new(
        kernel: &[usize],
        strides: &[usize],
        pads: &[usize],
        ceil_mode: bool,
        src: &Shape,
    ) -> Result<Pool, OpError> {
        let window = Window::new(kernel, strides, &[], pads)?;
        let dst = window.output(src, ceil_mode)?;
        if (0..2).any(|d| window.pads.iter().any(|side| side[d] >= window.kernel[d])) {
            return Err(OpError::mismatch(
                format!("padding smaller than the kernel {:?}", window.kernel),
                format!("pads {pads:?}"),
                "Pad less: a window must not lie wholly in the padding.",
            ));
        }
        let padding_behind = window.padding_behind(src, dst);
        let [n, c, h, w] = [0, 1, 2, 3].map(|d| src.dims()[d]);
        Ok(Pool { n, c, src: [h, w], dst, padding_behind, window })
    }

    /// Shape of the result.
    pub fn dst_shape(&self) -> Shape {
        Shape::new(&[self.n, self.c, self.dst[0], self.dst[1]])
    }

    /// Shape of the source.
    pub fn src_shape(&self) -> Shape {
        Shape::new(&[self.n, self.c, self.src[0], self.src[1]])
    }

    /// Width of the source.
    pub fn width(&self) -> usize {
        self.src[1]
    }

    /// True if rounding up made the last window reach beyond the padding that was asked for.
    pub fn overhangs(&self) -> bool {
        (0..2).any(|d| self.padding_behind[d] > self.window.pads[1][d])
    }

    /// Operations of one pass: one for each place of each window.
    pub fn flops(&self) -> f64 {
        let [kh, kw] = self.window.kernel;
        (self.dst_shape().len() * kh * kw) as f64
    }

    /// Settings of oneDNN's primitive.
    pub fn config(&self, algorithm: pooling::Algorithm) -> pooling::Config {
        pooling::Config {
            algorithm,
            kernel: self.window.kernel.to_vec(),
            strides: self.window.strides.to_vec(),
            dilations: self.window.dilations.to_vec(),
            padding_l: self.window.pads[0].to_vec(),
            padding_r: self.padding_behind.to_vec(),
        }
    }

    /// Visits every window in the order of the results.
    pub fn windows(&self, mut visit: impl FnMut(Taps)) {
        let [oh, ow] = self.dst;
        for plane in 0..self.n * self.c {
            for i in 0..oh {
                let (rows, padded_rows) = self.span(0, i);
                for j in 0..ow {
                    let (columns, padded_columns) = self.span(1, j);
                    visit(Taps {
                        dst: (plane * oh + i) * ow + j,
                        plane: plane * self.src[0] * self.src[1],
                        rows: rows.clone(),
                        columns,
                        padded: padded_rows * padded_columns,
                    });
                }
            }
        }
    }

    /// What window `o` covers in dimension `d`: source indices, and the number of places in the
    /// padded source.
    fn span(&self, d: usize, o: usize) -> (Range<usize>, usize) {
        let [before, behind] = self.window.pads.map(|side| side[d]);
        let first = o * self.window.strides[d];
        let last = first + self.window.kernel[d];
        let inside = first.saturating_sub(before)..(last - before).min(self.src[d]);
        (inside, last.min(before + self.src[d] + behind) - first)
    }
}
