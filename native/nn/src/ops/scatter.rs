//! ScatterElements and ScatterND: new values at computed places.

use super::gather_nd::{GatherElements, GatherNd};
use super::places::{Places, expect_along, parts_by_vectors};
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Element, Shape, Tensor, Wide, for_dtype};

/// What becomes of an element and the value that is scattered to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScatterReduction {
    /// The value; of several for one place the last.
    #[default]
    None,
    /// Their sum.
    Add,
    /// Their product.
    Mul,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
}

impl ScatterReduction {
    fn apply<T: Element>(self, old: T, new: T) -> T {
        match self {
            ScatterReduction::None => new,
            ScatterReduction::Add => join(old, new, |a, b| a + b, i64::wrapping_add),
            ScatterReduction::Mul => join(old, new, |a, b| a * b, i64::wrapping_mul),
            ScatterReduction::Min => {
                if new < old {
                    new
                } else {
                    old
                }
            }
            ScatterReduction::Max => {
                if new > old {
                    new
                } else {
                    old
                }
            }
        }
    }
}

fn join<T: Element>(a: T, b: T, float: fn(f64, f64) -> f64, int: fn(i64, i64) -> i64) -> T {
    T::from_wide(match (a.wide(), b.wide()) {
        (Wide::Float(a), Wide::Float(b)) => Wide::Float(float(a, b)),
        (a, b) => Wide::Int(int(i64::from_wide(a), i64::from_wide(b))),
    })
}

/// Scatters the updates, in their order, into a copy of the data.
pub(super) fn scatter(
    places: &Places,
    reduction: ScatterReduction,
    data: &Tensor,
    updates: &Tensor,
) -> Result<Vec<Tensor>, OpError> {
    let mut dst = data.clone();
    for_dtype!(data.dtype(), T => {
        let mut view = dst.view_mut();
        let (dst, updates) = (view.get::<T>()?, updates.get::<T>()?);
        for (&at, part) in places.starts.iter().zip(updates.chunks_exact(places.run.max(1))) {
            let old = dst[at..at + places.run].iter_mut();
            old.zip(part).for_each(|(old, &new)| *old = reduction.apply(*old, new));
        }
    });
    Ok(vec![dst])
}

/// The gradients of data and updates; `take` gathers what `op` scatters.
fn differentiate(
    g: &mut Gradient<'_>,
    reduction: ScatterReduction,
    op: impl Op,
    take: impl Op,
) -> Result<(), Error> {
    let Some(diff) = g.diff_dst(0) else { return Ok(()) };
    let indices = g.src(1);
    match reduction {
        _ if !g.needs(0) && !g.needs(2) => return Ok(()),
        ScatterReduction::Add => g.set(0, diff),
        ScatterReduction::None if g.needs(0) => {
            let updates = g.tensor_type(g.src(2));
            let zeros = g.constant(Tensor::zeros(updates.dtype, updates.shape));
            let rest = g.emit(op, &[diff, indices, zeros])?[0];
            g.set(0, rest);
        }
        ScatterReduction::None => {}
        _ => return Err(g.refuse()),
    }
    if g.needs(2) {
        let taken = g.emit(take, &[diff, indices])?[0];
        g.set(2, taken);
    }
    Ok(())
}

/// x with updates at positions along one axis: y\[…, indices\[…, i, …\], …\] = updates\[…, i, …\].
/// ONNX `ScatterElements`.
///
/// Shapes: x any, indices of as many dimensions (i32 or i64, negative from the end), updates like
/// the indices; y like x. The gradient needs different indices, or `Add`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScatterElements {
    /// The axis; negative counts from the end.
    pub axis: i64,
    /// What becomes of old and new values.
    pub reduction: ScatterReduction,
}

/// x with updates at index vectors. ONNX `ScatterND`.
///
/// Shapes: x \[batch …, d₁, …\], indices \[batch …, …, k\] (i32 or i64, negative from the end),
/// updates as `GatherND` would take them; y like x. The gradient needs different indices, or `Add`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScatterNd {
    /// What becomes of old and new values.
    pub reduction: ScatterReduction,
    /// Dimensions that number independent parts of x and indices; 0 in ONNX.
    pub batch_dims: usize,
}

/// Types of a scatter whose updates have this shape.
fn infer(src: &[&TensorType], updates: &Shape) -> Result<Vec<TensorType>, OpError> {
    if src[2].dtype != src[0].dtype || src[2].shape != *updates {
        return Err(OpError::mismatch(
            format!("updates {} {updates}", src[0].dtype),
            src[2].to_string(),
            "Give one value for each place.",
        ));
    }
    Ok(vec![src[0].clone()])
}

impl Op for ScatterElements {
    fn name(&self) -> &'static str {
        "ScatterElements"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 3..=3)?;
        let axis = resolve_axis(self.axis, src[0].shape.rank())?;
        expect_along(&src[0].shape, src[1], axis)?;
        infer(src, &src[1].shape)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        infer_tensors(self, src)?;
        let axis = resolve_axis(self.axis, src[0].shape().rank())?;
        let places = Places::along(src[0].shape(), src[1], axis)?;
        scatter(&places, self.reduction, src[0], src[2])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        differentiate(g, self.reduction, self.clone(), GatherElements { axis: self.axis })
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}

impl Op for ScatterNd {
    fn name(&self) -> &'static str {
        "ScatterND"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 3..=3)?;
        infer(src, &parts_by_vectors(&src[0].shape, src[1], self.batch_dims)?)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        infer_tensors(self, src)?;
        let places = Places::by_vectors(src[0].shape(), src[1], self.batch_dims)?;
        scatter(&places, self.reduction, src[0], src[2])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        differentiate(g, self.reduction, self.clone(), GatherNd { batch_dims: self.batch_dims })
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}
