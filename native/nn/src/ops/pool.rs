//! What the poolings share: sizes and the walk over their windows.

use super::window::{Attributes, SPATIAL, Window};
use crate::OpError;
use onednn::ops::pooling;
use tensor::Shape;

/// A pooling with all its sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    n: usize,
    c: usize,
    pub window: Window,
}

/// Which elements a window covers in one dimension: `first`, `first + step`, …
#[derive(Clone, Copy, Default)]
struct Span {
    first: usize,
    count: usize,
    step: usize,
    padded: usize,
}

/// One window over one plane of the source.
pub(crate) struct Taps {
    /// Where its result is.
    pub dst: usize,
    /// Where the plane starts.
    pub plane: usize,
    /// Places that it covers in the padded plane.
    pub padded: usize,
    spans: [Span; SPATIAL],
    src: [usize; SPATIAL],
}

impl Taps {
    /// Places that it covers inside the source.
    pub fn inside(&self) -> usize {
        self.spans.iter().map(|span| span.count).product()
    }

    /// The covered elements in row-major order, as positions in the source.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let along = |d: usize| {
            let Span { first, count, step, .. } = self.spans[d];
            (0..count).map(move |i| first + i * step)
        };
        let [_, h, w] = self.src;
        let plane = self.plane;
        along(0).flat_map(move |z| {
            along(1).flat_map(move |y| along(2).map(move |x| plane + (z * h + y) * w + x))
        })
    }
}

impl Pool {
    /// Pooling with ONNX attributes of an [n, c, …] source.
    pub fn new(attributes: &Attributes<'_>, src: &Shape) -> Result<Pool, OpError> {
        let &[n, c, ref spatial @ ..] = src.dims() else {
            return Err(unspatial(src));
        };
        if !(1..=SPATIAL).contains(&spatial.len()) {
            return Err(unspatial(src));
        }
        let window = Window::new(attributes, spatial)?;
        if (0..SPATIAL).any(|d| window.pads.iter().any(|side| side[d] >= window.extent(d))) {
            return Err(OpError::mismatch(
                format!("padding smaller than the kernel {:?}", window.of(&window.kernel)),
                format!("pads {:?}", attributes.pads),
                "Pad less: a window must not lie wholly in the padding.",
            ));
        }
        let pool = Pool { n, c, window };
        if !pool.sees() {
            return Err(OpError::mismatch(
                "windows that each cover an element of the source",
                format!("dilations {:?} over src {src}", attributes.dilations),
                "Pad or dilate less.",
            ));
        }
        Ok(pool)
    }

    /// Shape of the result.
    pub fn dst_shape(&self) -> Shape {
        self.window.dst_shape(self.n, self.c)
    }

    /// Shape of the source.
    pub fn src_shape(&self) -> Shape {
        self.window.src_shape(self.n, self.c)
    }

    /// True if rounding up made the last window reach beyond the padding that was asked for.
    pub fn overhangs(&self) -> bool {
        let behind = self.window.padding_behind();
        (0..SPATIAL).any(|d| behind[d] > self.window.pads[1][d])
    }

    /// True if every window covers an element of the source; dilated ones may miss it.
    fn sees(&self) -> bool {
        (0..SPATIAL).all(|d| (0..self.window.dst[d]).all(|o| self.span(d, o).count > 0))
    }

    /// Operations of one pass: one for each place of each window.
    pub fn flops(&self) -> f64 {
        (self.dst_shape().len() * self.window.taps()) as f64
    }

    /// Settings of oneDNN's primitive.
    pub fn config(&self, algorithm: pooling::Algorithm) -> pooling::Config {
        let w = &self.window;
        pooling::Config {
            algorithm,
            kernel: w.of(&w.kernel).to_vec(),
            strides: w.of(&w.strides).to_vec(),
            dilations: w.of(&w.dilations).to_vec(),
            padding_l: w.of(&w.pads[0]).to_vec(),
            padding_r: w.of(&w.padding_behind()).to_vec(),
        }
    }

    /// Visits every window in the order of the results.
    pub fn windows(&self, mut visit: impl FnMut(Taps)) {
        let src = self.window.src;
        let spans = [0, 1, 2]
            .map(|d| -> Vec<Span> { (0..self.window.dst[d]).map(|o| self.span(d, o)).collect() });
        let mut dst = 0;
        for plane in 0..self.n * self.c {
            for z in &spans[0] {
                for y in &spans[1] {
                    for x in &spans[2] {
                        let padded = z.padded * y.padded * x.padded;
                        let plane = plane * src.iter().product::<usize>();
                        visit(Taps { dst, plane, padded, spans: [*z, *y, *x], src });
                        dst += 1;
                    }
                }
            }
        }
    }

    /// What window `o` covers in dimension `d`.
    fn span(&self, d: usize, o: usize) -> Span {
        let [before, behind] = self.window.pads.map(|side| side[d]);
        let (size, step) = (self.window.src[d], self.window.dilations[d]);
        let begin = o * self.window.strides[d];
        let mut span = Span { step, ..Span::default() };
        for at in (0..self.window.kernel[d]).map(|k| begin + k * step) {
            span.padded += usize::from(at < before + size + behind);
            if (before..before + size).contains(&at) {
                if span.count == 0 {
                    span.first = at - before;
                }
                span.count += 1;
            }
        }
        span
    }
}

fn unspatial(src: &Shape) -> OpError {
    OpError::mismatch(
        "src [n, c, …] with one to three spatial dimensions",
        src.to_string(),
        "Reshape the input to batch, channels, height, width.",
    )
}
