//! A tensor in parts.

use super::Concat;
use super::axis_map::AxisMap;
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

/// x in parts along an axis, in order. ONNX `Split`.
///
/// Shapes: x any; each y like x with one of `split` along the axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Split {
    /// The axis; negative counts from the end.
    pub axis: i64,
    /// Extents of the parts; empty means equal parts.
    pub split: Vec<usize>,
    /// Number of equal parts, of which the last may be smaller.
    pub num_outputs: usize,
}

impl Split {
    /// First position and extent of each part.
    fn parts(&self, src: &Shape) -> Result<(usize, Vec<(usize, usize)>), OpError> {
        let axis = resolve_axis(self.axis, src.rank())?;
        let dim = src.dims()[axis];
        let equal = dim.div_ceil(self.num_outputs.max(1));
        let extents: Vec<usize> = match &self.split[..] {
            [] => (0..self.num_outputs).map(|i| dim.saturating_sub(i * equal).min(equal)).collect(),
            extents => extents.to_vec(),
        };
        if extents.iter().sum::<usize>() != dim || extents.is_empty() {
            return Err(OpError::mismatch(
                format!("parts that add up to {dim} along axis {axis}"),
                format!("parts {extents:?}"),
                "Give the extent of every part or the number of equal parts.",
            ));
        }
        let mut begin = 0;
        let parts = extents.into_iter().map(|extent| {
            begin += extent;
            (begin - extent, extent)
        });
        Ok((axis, parts.collect()))
    }
}

impl Op for Split {
    fn name(&self) -> &'static str {
        "Split"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        let (axis, parts) = self.parts(&src[0].shape)?;
        let mut dims = src[0].dims().to_vec();
        let part = |(_, extent)| {
            dims[axis] = extent;
            src[0].with_shape(dims.clone())
        };
        Ok(parts.into_iter().map(part).collect())
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 1..=1)?;
        let (axis, parts) = self.parts(src[0].shape())?;
        let mut made = Vec::with_capacity(parts.len());
        for (begin, extent) in parts {
            let whole = src[0].dims().iter().map(|&dim| (0..dim).collect());
            let mut positions: Vec<Vec<usize>> = whole.collect();
            positions[axis] = (begin..begin + extent).collect();
            made.extend(AxisMap::select(src[0].shape(), positions).evaluate(src)?);
        }
        Ok(made)
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let x = g.tensor_type(g.src(0));
        let (axis, parts) = self.parts(&x.shape).expect("checked by infer");
        let mut diffs = Vec::with_capacity(parts.len());
        for (o, (_, extent)) in parts.into_iter().enumerate() {
            diffs.push(match g.diff_dst(o) {
                Some(diff) => diff,
                None => {
                    let mut dims = x.dims().to_vec();
                    dims[axis] = extent;
                    g.constant(Tensor::zeros(x.dtype, dims))
                }
            });
        }
        if g.needs(0) {
            let diff = g.emit(Concat { axis: axis as i64 }, &diffs)?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}
