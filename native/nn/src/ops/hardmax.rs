//! One at the largest element.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::Op;
use crate::tensor_type::{float_types, infer_tensors};
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Tensor};

/// y = 1 at the first of the largest elements along one axis, 0 elsewhere. ONNX `Hardmax`. Shapes: x
/// any, y the same. No gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hardmax {
    /// The axis; negative counts from the end.
    pub axis: i64,
}

impl Default for Hardmax {
    fn default() -> Hardmax {
        Hardmax { axis: -1 }
    }
}

impl Op for Hardmax {
    fn name(&self) -> &'static str {
        "Hardmax"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            resolve_axis(self.axis, src[0].rank())?;
            Ok(vec![src[0].clone()])
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let axis = resolve_axis(self.axis, ty.shape.rank())?;
        let (n, inner) = (ty.dims()[axis], ty.dims()[axis + 1..].iter().product::<usize>());
        let x: Vec<f64> = src[0].cast(DType::F64).into_vec()?;
        let mut y = vec![0.0; x.len()];
        for row in 0..x.len().checked_div(n).unwrap_or(0) {
            let at = |i: usize| (row / inner * n + i) * inner + row % inner;
            let first_of_largest = |a, b| if x[at(b)] > x[at(a)] { b } else { a };
            y[at((0..n).fold(0, first_of_largest))] = 1.0;
        }
        Ok(vec![Tensor::new(ty.shape, y)?.cast(ty.dtype)])
    }

    fn compiles(&self, _: &[DType]) -> bool {
        false
    }
}
