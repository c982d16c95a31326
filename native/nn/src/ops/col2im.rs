//! Images from the columns of their windows.

use super::axis_map::NOWHERE;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// Adds up the elements of overlapping windows where they lie in the image. ONNX `Col2Im`.
///
/// Shapes: x \[n, c · Π block, windows\], y \[n, c, image …\]; windows = Π (⌊(image + pads − dilation
/// · (block − 1) − 1) / stride⌋ + 1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Col2Im {
    /// Extents of the image.
    pub image_shape: Vec<usize>,
    /// Extents of a window.
    pub block_shape: Vec<usize>,
    /// Distances of a window's elements; empty means 1.
    pub dilations: Vec<usize>,
    /// Padding before each dimension, then behind; empty means 0.
    pub pads: Vec<usize>,
    /// Steps of the windows; empty means 1.
    pub strides: Vec<usize>,
}

impl Col2Im {
    /// For each element of a window, then each window: its place in the image, if it has one.
    fn places(&self) -> Option<Vec<usize>> {
        let rank = self.image_shape.len();
        let all = |list: &[usize], default: usize, len: usize| match list.len() {
            0 => Some(vec![default; len]),
            given => (given == len).then(|| list.to_vec()),
        };
        let block = all(&self.block_shape, 1, rank)?;
        let (dilations, strides) = (all(&self.dilations, 1, rank)?, all(&self.strides, 1, rank)?);
        let pads = all(&self.pads, 0, 2 * rank)?;
        if [&block, &dilations, &strides].iter().any(|list| list.contains(&0)) {
            return None;
        }
        let mut windows = Vec::with_capacity(rank);
        for d in 0..rank {
            let padded = self.image_shape[d] + pads[d] + pads[rank + d];
            let room = padded.checked_sub(dilations[d] * (block[d] - 1) + 1)?;
            windows.push(room / strides[d] + 1);
        }
        let image = Shape::new(&self.image_shape).strides();
        let (inside, outside) = (Shape::from(block), Shape::from(windows));
        let mut places = Vec::with_capacity(inside.len() * outside.len());
        for element in 0..inside.len() {
            for window in 0..outside.len() {
                let axis = |d: usize| {
                    let at = |shape: &Shape, i: usize| i / shape.strides()[d] % shape.dims()[d];
                    let place =
                        at(&outside, window) * strides[d] + at(&inside, element) * dilations[d];
                    let place = place.checked_sub(pads[d])?;
                    (place < self.image_shape[d]).then_some(place * image[d])
                };
                places.push((0..rank).map(axis).sum::<Option<usize>>().unwrap_or(NOWHERE));
            }
        }
        Some(places)
    }

    fn shapes(&self, src: &Shape) -> Result<Shape, OpError> {
        let block: usize = self.block_shape.iter().product();
        let places = self.places();
        match (src.dims(), places) {
            (&[n, columns, windows], Some(places))
                if columns % block.max(1) == 0 && places.len() == block * windows =>
            {
                let c = columns / block.max(1);
                Ok(Shape::from([&[n, c], &self.image_shape[..]].concat()))
            }
            _ => Err(OpError::mismatch(
                format!(
                    "src [n, c · {block}, windows] for blocks {:?} in images {:?}",
                    self.block_shape, self.image_shape
                ),
                src.to_string(),
                "Match blocks, pads and strides with those that made the columns.",
            )),
        }
    }
}

impl Op for Col2Im {
    fn name(&self) -> &'static str {
        "Col2Im"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            Ok(vec![self.shapes(src[0])?])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let shape = g.shape(g.src(0));
            let diff = g.emit(Im2Col { op: self.clone(), shape }, &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let places = self.places().expect("checked by infer");
        let plane: usize = self.image_shape.iter().product();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            let planes = dst[0].chunks_exact_mut(plane.max(1));
            for (image, columns) in planes.zip(src[0].chunks_exact(places.len().max(1))) {
                let found = places.iter().zip(columns).filter(|(at, _)| **at != NOWHERE);
                found.for_each(|(&at, x)| image[at] += x);
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        Cost { flops: src[0].len() as f64, ..elementwise_cost(src, dst, 1.0) }
    }
}

/// The columns of the windows of an image: the gradient of [`Col2Im`].
#[derive(Clone, Debug)]
struct Im2Col {
    op: Col2Im,
    shape: Shape,
}

impl Op for Im2Col {
    fn name(&self) -> &'static str {
        "Im2Col"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.shape.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let places = self.op.places().expect("checked by infer");
        let plane: usize = self.op.image_shape.iter().product();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let planes = src[0].chunks_exact(plane.max(1));
            for (columns, image) in dst[0].chunks_exact_mut(places.len().max(1)).zip(planes) {
                for (x, &at) in columns.iter_mut().zip(&places) {
                    *x = if at == NOWHERE { 0.0 } else { image[at] };
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}
