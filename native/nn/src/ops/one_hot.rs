//! Numbers as rows of zeros and a one.

use super::gather::resolve_index;
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::Op;
use crate::tensor_type::infer_tensors;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Data, Element, Tensor, Wide, for_dtype};

/// Rows of one index each: on at the index, off elsewhere. ONNX `OneHot`.
///
/// Shapes: indices any, of any numbers (negative ones count from the end, those out of range are on
/// nowhere); y has one dimension more, of `depth`, at the axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OneHot {
    /// The axis of y that is new; negative counts from the end.
    pub axis: i64,
    /// Its extent.
    pub depth: usize,
    /// What stands elsewhere.
    pub off: Wide,
    /// What stands at the index.
    pub on: Wide,
    /// Type of the result.
    pub dtype: DType,
}

impl Default for OneHot {
    fn default() -> OneHot {
        OneHot { axis: -1, depth: 0, off: Wide::ZERO, on: Wide::Int(1), dtype: DType::F32 }
    }
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "OneHot"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        let axis = resolve_axis(self.axis, src[0].shape.rank() + 1)?;
        let mut dims = src[0].dims().to_vec();
        dims.insert(axis, self.depth);
        Ok(vec![TensorType::new(self.dtype, dims)])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let axis = resolve_axis(self.axis, ty.shape.rank())?;
        let inner: usize = ty.dims()[axis + 1..].iter().product();
        let indices: Vec<i64> = src[0].cast(DType::I64).into_vec()?;
        let len = ty.shape.len();
        let data = for_dtype!(self.dtype, T => {
            let mut data = vec![T::from_wide(self.off); len];
            for (i, index) in indices.into_iter().enumerate() {
                if let Ok(index) = resolve_index(index, self.depth) {
                    let (outer, inside) = (i / inner.max(1), i % inner.max(1));
                    data[(outer * self.depth + index) * inner + inside] = T::from_wide(self.on);
                }
            }
            Data::from(data)
        });
        Ok(vec![Tensor::new(ty.shape, data)?])
    }
}
