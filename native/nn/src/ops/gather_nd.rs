//! GatherElements and GatherND: elements and parts by their places.

use super::places::{Places, expect_along, parts_by_vectors};
use super::scatter::{ScatterElements, ScatterNd, ScatterReduction};
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Data, Shape, Tensor, for_elements};

/// y\[…, i, …\] = x\[…, indices\[…, i, …\], …\] along one axis. ONNX `GatherElements`.
///
/// Shapes: x any, indices of as many dimensions (i32 or i64, negative from the end), y like the
/// indices. Indices out of range are an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatherElements {
    /// The axis; negative counts from the end.
    pub axis: i64,
}

/// The parts of x at index vectors. ONNX `GatherND`.
///
/// Shapes: x \[batch …, d₁, …\], indices \[batch …, …, k\] (i32 or i64, negative from the end); y
/// \[batch …, …\] and the dimensions of x behind the first k of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatherNd {
    /// Dimensions that number independent parts of x and indices.
    pub batch_dims: usize,
}

fn take(places: &Places, src: &Tensor, shape: Shape) -> Result<Vec<Tensor>, OpError> {
    let data = for_elements!(Data, src.data(), x => Data::from(places.take(x)));
    Ok(vec![Tensor::new(shape, data)?])
}

impl Op for GatherElements {
    fn name(&self) -> &'static str {
        "GatherElements"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let axis = resolve_axis(self.axis, src[0].shape.rank())?;
        expect_along(&src[0].shape, src[1], axis)?;
        Ok(vec![src[0].with_shape(src[1].shape.clone())])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let axis = resolve_axis(self.axis, ty.shape.rank())?;
        take(&Places::along(src[0].shape(), src[1], axis)?, src[0], ty.shape)
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let op = ScatterElements { axis: self.axis, reduction: ScatterReduction::Add };
            scatter(g, op, diff)?;
        }
        Ok(())
    }

    fn cost(&self, _: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, dst, 0.0)
    }
}

/// Adds the gradient into zeros like source 0, at the indices of source 1.
fn scatter(g: &mut Gradient<'_>, op: impl Op, diff: crate::ValueId) -> Result<(), Error> {
    let (x, indices) = (g.tensor_type(g.src(0)), g.src(1));
    let zeros = g.constant(Tensor::zeros(x.dtype, x.shape));
    let diff = g.emit(op, &[zeros, indices, diff])?[0];
    g.set(0, diff);
    Ok(())
}

impl Op for GatherNd {
    fn name(&self) -> &'static str {
        "GatherND"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let shape = parts_by_vectors(&src[0].shape, src[1], self.batch_dims)?;
        Ok(vec![src[0].with_shape(shape)])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        take(&Places::by_vectors(src[0].shape(), src[1], self.batch_dims)?, src[0], ty.shape)
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let op = ScatterNd { reduction: ScatterReduction::Add, batch_dims: self.batch_dims };
            scatter(g, op, diff)?;
        }
        Ok(())
    }

    fn cost(&self, _: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, dst, 0.0)
    }
}
