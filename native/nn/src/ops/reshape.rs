//! Another view of the same numbers.

use super::view::views;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// The same numbers in row-major order under other dimensions. ONNX `Reshape`.
///
/// Shapes: x any; y `shape`, where one −1 takes what is left and 0 copies x's dimension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reshape {
    /// The wanted dimensions.
    pub shape: Vec<i64>,
}

impl Reshape {
    fn shape(&self, src: &Shape) -> Result<Shape, OpError> {
        let refuse = || {
            OpError::mismatch(
                format!("{} numbers, as src {src} has", src.len()),
                format!("shape {:?}", self.shape),
                "Use one −1 for the dimension that is left.",
            )
        };
        let mut dims = Vec::with_capacity(self.shape.len());
        let mut free = None;
        for (i, &dim) in self.shape.iter().enumerate() {
            match dim {
                -1 if free.is_none() => {
                    free = Some(i);
                    dims.push(1);
                }
                0 => dims.push(*src.dims().get(i).ok_or_else(refuse)?),
                _ => dims.push(usize::try_from(dim).map_err(|_| refuse())?),
            }
        }
        if let Some(i) = free {
            let known: usize = dims.iter().product();
            dims[i] = src.len().checked_div(known).unwrap_or(0);
        }
        let shape = Shape::from(dims);
        if shape.len() == src.len() { Ok(shape) } else { Err(refuse()) }
    }
}

views!(Reshape);
