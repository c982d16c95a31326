//! Cutting and padding to a size.

use super::axis_map::{AxisMap, NOWHERE, moves};
use super::softmax::resolve_axis;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// The middle of x in another size: cut off, or padded with zeros, at both ends alike (the odd
/// element behind). ONNX `CenterCropPad`. Shapes: x any; y `shape` along the axes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CenterCropPad {
    /// The wanted extents.
    pub shape: Vec<usize>,
    /// The axes that they are for, negative from the end; empty means all.
    pub axes: Vec<i64>,
}

impl CenterCropPad {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let axes: Vec<usize> = match &self.axes[..] {
            [] => (0..src.rank()).collect(),
            axes => axes.iter().map(|&a| resolve_axis(a, src.rank())).collect::<Result<_, _>>()?,
        };
        if self.shape.len() != axes.len() {
            return Err(OpError::mismatch(
                format!("an extent for each of {} axes", axes.len()),
                format!("shape {:?}", self.shape),
                "Name the axes or give all extents.",
            ));
        }
        let mut positions: Vec<Vec<usize>> = src.dims().iter().map(|&d| (0..d).collect()).collect();
        for (&want, axis) in self.shape.iter().zip(axes) {
            let have = src.dims()[axis];
            let (cut, pad) = (have.saturating_sub(want) / 2, want.saturating_sub(have) / 2);
            let place = |at: usize| match (at + cut).checked_sub(pad) {
                Some(at) if at < have => at,
                _ => NOWHERE,
            };
            positions[axis] = (0..want).map(place).collect();
        }
        Ok(AxisMap::select(src, positions))
    }
}

moves!(CenterCropPad);
