//! Channels as blocks of pixels, and back.

use super::axis_map::{AxisMap, moves};
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// How a channel number is made of the place in the block and the channel of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DepthOrder {
    /// Place in the block first.
    #[default]
    Dcr,
    /// Channel of the result first.
    Crd,
}

/// Channels become the places of b×b blocks of pixels. ONNX `DepthToSpace`.
///
/// Shapes: x \[n, c · b², h, w\]; y \[n, c, h · b, w · b\].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DepthToSpace {
    /// Side of a block.
    pub blocksize: usize,
    /// Which channel becomes which place.
    pub mode: DepthOrder,
}

/// The places of b×b blocks of pixels become channels. ONNX `SpaceToDepth`.
///
/// Shapes: x \[n, c, h · b, w · b\]; y \[n, b² · c, h, w\].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpaceToDepth {
    /// Side of a block.
    pub blocksize: usize,
}

impl DepthToSpace {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let b = self.blocksize;
        let [n, depth, h, w] = dims(src, |&[_, c, ..]| b > 0 && c % (b * b) == 0, b)?;
        let (c, plane) = (depth / (b * b), h * w);
        let (place, channel) = match self.mode {
            DepthOrder::Dcr => (c * plane, plane),
            DepthOrder::Crd => (plane, b * b * plane),
        };
        Ok(AxisMap::new(
            src,
            vec![
                (0..n).map(|i| i * depth * plane).collect(),
                (0..c).map(|i| i * channel).collect(),
                (0..h * b).map(|y| y % b * b * place + y / b * w).collect(),
                (0..w * b).map(|x| x % b * place + x / b).collect(),
            ],
        ))
    }
}

moves!(DepthToSpace);

impl SpaceToDepth {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let b = self.blocksize;
        let [n, c, h, w] = dims(src, |&[.., h, w]| b > 0 && h % b == 0 && w % b == 0, b)?;
        let channel = |i: usize| {
            let (place, c) = (i / c, i % c);
            c * h * w + place / b * w + place % b
        };
        Ok(AxisMap::new(
            src,
            vec![
                (0..n).map(|i| i * c * h * w).collect(),
                (0..b * b * c).map(channel).collect(),
                (0..h / b).map(|y| y * b * w).collect(),
                (0..w / b).map(|x| x * b).collect(),
            ],
        ))
    }
}

moves!(SpaceToDepth);

fn dims(
    src: &Shape,
    fits: impl Fn(&[usize; 4]) -> bool,
    blocksize: usize,
) -> Result<[usize; 4], OpError> {
    <[usize; 4]>::try_from(src.dims()).ok().filter(fits).ok_or_else(|| {
        OpError::mismatch(
            format!("src [n, c, h, w] of whole blocks {blocksize}×{blocksize}"),
            src.to_string(),
            "Choose a block size that divides the extents.",
        )
    })
}
