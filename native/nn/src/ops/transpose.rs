//! Reordered axes.

use super::axis_map::{AxisMap, moves};
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[i at perm\[0\], i at perm\[1\], …\] = x\[i\]: axis `d` of y is axis `perm[d]` of x. ONNX
/// `Transpose`.
///
/// Shapes: x any; y the dimensions of x in the order of `perm`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transpose {
    /// The axes of x in their new order; empty reverses them.
    pub perm: Vec<usize>,
}

impl Transpose {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let perm = match &self.perm[..] {
            [] => (0..src.rank()).rev().collect(),
            perm => perm.to_vec(),
        };
        let mut sorted = perm.clone();
        sorted.sort_unstable();
        if sorted != (0..src.rank()).collect::<Vec<_>>() {
            return Err(OpError::mismatch(
                format!("each of the {} axes of src {src} once", src.rank()),
                format!("perm {perm:?}"),
                "Give the axes in their new order.",
            ));
        }
        let strides = src.strides();
        let table = |&d: &usize| (0..src.dims()[d]).map(|i| i * strides[d]).collect();
        Ok(AxisMap::new(src, perm.iter().map(table).collect()))
    }
}

moves!(Transpose);
