//! Borders.

use super::axis_map::{AxisMap, NOWHERE, moves};
use super::softmax::resolve_axis;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::{Shape, Wide};

/// What the border of a padded tensor holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// One value.
    #[default]
    Constant,
    /// The elements mirrored at the edge, which is not repeated.
    Reflect,
    /// The element at the edge.
    Edge,
    /// The elements from the other end.
    Wrap,
}

/// x with a border; negative pads cut off. ONNX `Pad`.
///
/// Shapes: x any; y dims + begins + ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pad {
    /// Elements before the first along each axis, then behind the last.
    pub pads: Vec<i64>,
    /// The axes that `pads` is for, negative from the end; empty means all.
    pub axes: Vec<i64>,
    /// What the border holds.
    pub mode: PadMode,
    /// The value of a constant border.
    pub value: Wide,
}

impl Default for Pad {
    fn default() -> Pad {
        Pad { pads: Vec::new(), axes: Vec::new(), mode: PadMode::Constant, value: Wide::ZERO }
    }
}

impl Pad {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let axes: Vec<usize> = match &self.axes[..] {
            [] => (0..src.rank()).collect(),
            axes => axes.iter().map(|&a| resolve_axis(a, src.rank())).collect::<Result<_, _>>()?,
        };
        if self.pads.len() != 2 * axes.len() {
            return Err(OpError::mismatch(
                format!("two pads for each of {} axes", axes.len()),
                format!("pads {:?}", self.pads),
                "Give all begins, then all ends.",
            ));
        }
        let mut positions: Vec<Vec<usize>> = src.dims().iter().map(|&d| (0..d).collect()).collect();
        for (i, &axis) in axes.iter().enumerate() {
            let (begin, end) = (self.pads[i], self.pads[axes.len() + i]);
            let dim = src.dims()[axis];
            let fits = match self.mode {
                PadMode::Constant => true,
                _ => dim > 0 || (begin <= 0 && end <= 0),
            };
            if !fits {
                return Err(OpError::mismatch(
                    format!("elements to repeat along axis {axis}"),
                    format!("src {src}"),
                    "Pad an empty tensor with a constant.",
                ));
            }
            let place = |at| self.place(at, dim as i64);
            positions[axis] = (-begin..dim as i64 + end).map(place).collect();
        }
        Ok(AxisMap::select(src, positions).filled(self.value))
    }

    /// Where along an axis of `dim` elements the element at `at` comes from.
    fn place(&self, at: i64, dim: i64) -> usize {
        if (0..dim).contains(&at) {
            return at as usize;
        }
        match self.mode {
            PadMode::Constant => NOWHERE,
            PadMode::Edge => at.clamp(0, dim - 1) as usize,
            PadMode::Wrap => at.rem_euclid(dim) as usize,
            PadMode::Reflect => {
                let period = (2 * (dim - 1)).max(1);
                let at = at.rem_euclid(period);
                at.min(period - at).min(dim - 1) as usize
            }
        }
    }
}

moves!(Pad);
