//! Flattening to a matrix.

use super::reshape::{restore, same_elements};
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::same_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// The same numbers as a matrix: dimensions before `axis` by those from it on. ONNX `Flatten`.
///
/// Shapes: x \[d0, …\], y \[Π dᵢ (i < axis), Π dᵢ (i ≥ axis)\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flatten {
    /// First dimension of the columns.
    pub axis: usize,
}

impl Default for Flatten {
    fn default() -> Flatten {
        Flatten { axis: 1 }
    }
}

impl Op for Flatten {
    fn name(&self) -> &'static str {
        "Flatten"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        same_types(src, |src| {
            expect_operands(src, 1..=1)?;
            let dims = src[0].dims();
            if self.axis > dims.len() {
                return Err(OpError::mismatch(
                    format!("an axis up to {}", dims.len()),
                    self.axis.to_string(),
                    "Use axis 1 to keep the batch.",
                ));
            }
            let (rows, columns) = dims.split_at(self.axis);
            Ok(vec![Shape::new(&[rows.iter().product(), columns.iter().product()])])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        restore(g)
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compiler.alias()
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        same_elements(self, src)
    }

    fn cost(&self, _: &[Shape], _: &[Shape]) -> Cost {
        Cost::default()
    }
}
