//! Broadcasting.

use super::axis_map::{AxisMap, moves};
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// x repeated along its dimensions of 1 (and new ones in front). ONNX `Expand`.
///
/// Shapes: x any; y what x and `shape` broadcast to, so that a 1 in `shape` keeps x's dimension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expand {
    /// The wanted dimensions.
    pub shape: Vec<usize>,
}

impl Expand {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let dst = Shape::broadcast(src, &Shape::new(&self.shape))?;
        let strides = src.broadcast_strides(&dst);
        let table = |(&dim, stride): (&usize, usize)| (0..dim).map(|i| i * stride).collect();
        Ok(AxisMap::new(src, dst.dims().iter().zip(strides).map(table).collect()))
    }
}

moves!(Expand);
