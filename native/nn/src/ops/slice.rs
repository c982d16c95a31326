//! Parts of a tensor.

use super::axis_map::{AxisMap, moves};
use super::softmax::resolve_axis;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = x\[starts\[0\]:ends\[0\]:steps\[0\], …\] along the axes. ONNX `Slice`.
///
/// Starts and ends may be negative (from the end) or beyond the dimension, as in NumPy. Shapes: x
/// any; y ⌈(end − start) / step⌉ along each axis that is named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// First position along each axis.
    pub starts: Vec<i64>,
    /// One past the last position along each axis.
    pub ends: Vec<i64>,
    /// The axes, negative from the end; empty means the first ones.
    pub axes: Vec<i64>,
    /// Steps along each axis, negative ones backwards; empty means 1.
    pub steps: Vec<i64>,
}

impl Slice {
    /// The part of `extent` positions from `begin` on along one axis.
    pub(super) fn part(axis: usize, begin: usize, extent: usize) -> Slice {
        let [starts, ends, axes] = [begin, begin + extent, axis].map(|at| vec![at as i64]);
        Slice { starts, ends, axes, steps: Vec::new() }
    }

    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        let count = self.starts.len();
        let fits = |list: &[i64]| list.is_empty() || list.len() == count;
        if self.ends.len() != count || !fits(&self.axes) || !fits(&self.steps) {
            return Err(OpError::mismatch(
                format!("an end, an axis and a step for each of {count} starts"),
                format!("ends {:?}, axes {:?}, steps {:?}", self.ends, self.axes, self.steps),
                "Give lists of one length.",
            ));
        }
        let mut positions: Vec<Vec<usize>> = src.dims().iter().map(|&d| (0..d).collect()).collect();
        for i in 0..count {
            let axis = self.axes.get(i).copied().unwrap_or(i as i64);
            let axis = resolve_axis(axis, src.rank())?;
            let step = self.steps.get(i).copied().unwrap_or(1);
            if step == 0 {
                return Err(OpError::mismatch("steps other than 0", "step 0", "Use 1."));
            }
            positions[axis] = walk(self.starts[i], self.ends[i], step, src.dims()[axis]);
        }
        Ok(AxisMap::select(src, positions))
    }
}

moves!(Slice);

/// First and one-past-last position of a slice with step 1, within `0..=dim`.
pub(super) fn bounds(start: i64, end: i64, dim: usize) -> (usize, usize) {
    let within = |at: i64| {
        let at = if at < 0 { at.saturating_add(dim as i64) } else { at };
        at.clamp(0, dim as i64) as usize
    };
    (within(start), within(end))
}

/// The positions of a slice.
fn walk(start: i64, end: i64, step: i64, dim: usize) -> Vec<usize> {
    if step > 0 {
        let (first, end) = bounds(start, end, dim);
        return (first..end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect();
    }
    let dim = dim as i64;
    let within = |at: i64| (if at < 0 { at.saturating_add(dim) } else { at }).clamp(-1, dim - 1);
    let (mut at, end) = (within(start), within(end));
    let mut positions = Vec::new();
    while at > end {
        positions.push(at as usize);
        at = at.saturating_add(step);
    }
    positions
}
