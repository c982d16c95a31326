//! Identity, Squeeze and Unsqueeze: the same numbers with fewer or more dimensions of 1.

use super::softmax::resolve_axis;
use super::view::views;
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = x. ONNX `Identity`. Shapes: x any, y the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {}

impl Identity {
    fn shape(&self, src: &Shape) -> Result<Shape, OpError> {
        Ok(src.clone())
    }
}

views!(Identity);

/// x without dimensions of 1. ONNX `Squeeze`. Shapes: x any; y without the axes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Squeeze {
    /// The axes that go, each of extent 1, negative from the end; empty means all of extent 1.
    pub axes: Vec<i64>,
}

impl Squeeze {
    fn shape(&self, src: &Shape) -> Result<Shape, OpError> {
        let mut goes: Vec<bool> =
            src.dims().iter().map(|&dim| self.axes.is_empty() && dim == 1).collect();
        for &axis in &self.axes {
            let axis = resolve_axis(axis, src.rank())?;
            if src.dims()[axis] != 1 {
                return Err(OpError::mismatch(
                    format!("extent 1 in axis {axis}"),
                    src.to_string(),
                    "Name axes of extent 1.",
                ));
            }
            goes[axis] = true;
        }
        let kept = src.dims().iter().zip(goes).filter(|(_, goes)| !goes);
        Ok(Shape::from(kept.map(|(&dim, _)| dim).collect::<Vec<_>>()))
    }
}

views!(Squeeze);

/// x with new dimensions of 1. ONNX `Unsqueeze`. Shapes: x any; y 1 at each of the axes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsqueeze {
    /// The axes of y that are new, negative from the end.
    pub axes: Vec<i64>,
}

impl Unsqueeze {
    fn shape(&self, src: &Shape) -> Result<Shape, OpError> {
        let rank = src.rank() + self.axes.len();
        let mut new = vec![false; rank];
        for &axis in &self.axes {
            if std::mem::replace(&mut new[resolve_axis(axis, rank)?], true) {
                return Err(OpError::mismatch(
                    "each new axis once",
                    format!("axes {:?}", self.axes),
                    "Leave out the repeated one.",
                ));
            }
        }
        let mut old = src.dims().iter();
        let dims = new.iter().map(|&new| if new { 1 } else { old.next().copied().unwrap_or(1) });
        Ok(Shape::from(dims.collect::<Vec<usize>>()))
    }
}

views!(Unsqueeze);
