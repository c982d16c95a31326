//! Choice between two tensors, element by element.

use super::sum_to::SumTo;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{infer_tensors, same_types};
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor, View, ViewMut, for_dtype};

/// x where the condition holds, else y. ONNX `Where`.
///
/// Shapes: condition (bool), x and y broadcast to the result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Where {}

/// How an operand is read: strides of the result's dimensions, 0 where it is repeated.
type Strides = Vec<usize>;

impl Op for Where {
    fn name(&self) -> &'static str {
        "Where"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 3..=3)?;
        if src[0].dtype != DType::Bool {
            let remedy = "Compare or cast to bool first.";
            return Err(OpError::mismatch("a condition of type bool", src[0].dtype.name(), remedy));
        }
        same_types(&src[1..], |branches| {
            let shape = Shape::broadcast(branches[0], branches[1])?;
            Ok(vec![Shape::broadcast(&src[0].shape, &shape)?])
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let shapes = [src[0], src[1], src[2]].map(Tensor::shape);
        let choice = Choice::new(shapes, &ty.shape);
        let mut dst = Tensor::zeros(ty.dtype, ty.shape);
        let views = [src[0], src[1], src[2]].map(Tensor::view);
        choice.run(&views, &mut dst.view_mut())?;
        Ok(vec![dst])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let (condition, dtype) = (g.src(0), g.tensor_type(diff).dtype);
        for i in 1..3 {
            if !g.needs(i) {
                continue;
            }
            let zero = g.constant(Tensor::zeros(dtype, Shape::default()));
            let branches = if i == 1 { [condition, diff, zero] } else { [condition, zero, diff] };
            let mut part = g.emit(Where {}, &branches)?[0];
            let shape = g.shape(g.src(i));
            if g.shape(part) != shape {
                part = g.emit(SumTo { shape }, &[part])?[0];
            }
            g.set(i, part);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let shapes = [0, 1, 2].map(|i| compiler.src_shape(i));
        let choice = Choice::new(shapes, compiler.dst_shape(0));
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            choice.run(src, &mut dst[0])
        })
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 1.0)
    }
}

/// The operands' strides over the result.
struct Choice {
    dims: Vec<usize>,
    strides: [Strides; 3],
}

impl Choice {
    fn new(src: [&Shape; 3], dst: &Shape) -> Choice {
        // A scalar is a row of one element.
        let dims = if dst.rank() == 0 { vec![1] } else { dst.dims().to_vec() };
        let strides = src.map(|shape| shape.broadcast_strides(&Shape::from(dims.clone())));
        Choice { dims, strides }
    }

    fn run(&self, src: &[View<'_>], dst: &mut ViewMut<'_>) -> Result<(), OpError> {
        let condition = src[0].get::<bool>()?;
        for_dtype!(dst.dtype(), T => {
            self.choose(condition, src[1].get::<T>()?, src[2].get::<T>()?, dst.get::<T>()?);
        });
        Ok(())
    }

    fn choose<T: Copy>(&self, condition: &[bool], x: &[T], y: &[T], dst: &mut [T]) {
        let Some((&inner, outer)) = self.dims.split_last() else { return };
        let steps = [0, 1, 2].map(|i| self.strides[i][outer.len()]);
        for (row, dst) in dst.chunks_exact_mut(inner.max(1)).enumerate() {
            let mut at = [0; 3];
            let mut rest = row;
            for (d, &dim) in outer.iter().enumerate().rev() {
                (0..3).for_each(|i| at[i] += rest % dim * self.strides[i][d]);
                rest /= dim;
            }
            for dst in dst {
                *dst = if condition[at[0]] { x[at[1]] } else { y[at[2]] };
                (0..3).for_each(|i| at[i] += steps[i]);
            }
        }
    }
}
