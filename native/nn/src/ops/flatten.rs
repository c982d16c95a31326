//! Flattening to a matrix.

use super::view::views;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

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

impl Flatten {
    fn shape(&self, src: &Shape) -> Result<Shape, OpError> {
        let dims = src.dims();
        if self.axis > dims.len() {
            return Err(OpError::mismatch(
                format!("an axis up to {}", dims.len()),
                self.axis.to_string(),
                "Use axis 1 to keep the batch.",
            ));
        }
        let (rows, columns) = dims.split_at(self.axis);
        Ok(Shape::new(&[rows.iter().product(), columns.iter().product()]))
    }
}

views!(Flatten);
