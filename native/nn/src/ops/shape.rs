//! Shape and Size: what is known of a value before its elements are.

use super::slice::bounds;
use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Tensor};

/// The dimensions of x as i64. ONNX `Shape`. Shapes: x any; y \[number of dimensions taken\].
///
/// In a graph it is a constant from the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// First dimension taken; negative counts from the end.
    pub start: i64,
    /// One past the last dimension taken; none takes all that follow.
    pub end: Option<i64>,
}

/// The number of elements of x as i64. ONNX `Size`. Shapes: x any; y a scalar.
///
/// In a graph it is a constant from the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Size {}

impl Op for Shape {
    fn name(&self) -> &'static str {
        "Shape"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        let (first, end) = self.range(src[0]);
        Ok(vec![TensorType::new(DType::I64, [end - first])])
    }

    fn known(&self, src: &[&TensorType]) -> Result<Option<Vec<Tensor>>, OpError> {
        expect_operands(src, 1..=1)?;
        let (first, end) = self.range(src[0]);
        let dims = src[0].dims()[first..end].iter().map(|&dim| dim as i64);
        Ok(Some(vec![Tensor::vector(dims.collect::<Vec<i64>>())]))
    }
}

impl Shape {
    fn range(&self, src: &TensorType) -> (usize, usize) {
        let rank = src.shape.rank();
        let (first, end) = bounds(self.start, self.end.unwrap_or(i64::MAX), rank);
        (first, end.max(first))
    }
}

impl Op for Size {
    fn name(&self) -> &'static str {
        "Size"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        Ok(vec![TensorType::new(DType::I64, [0; 0])])
    }

    fn known(&self, src: &[&TensorType]) -> Result<Option<Vec<Tensor>>, OpError> {
        expect_operands(src, 1..=1)?;
        Ok(Some(vec![Tensor::scalar(src[0].shape.len() as i64)]))
    }
}
