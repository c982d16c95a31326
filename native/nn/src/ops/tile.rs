//! Repetition.

use super::axis_map::{AxisMap, moves};
use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// x side by side with itself along each axis. ONNX `Tile`. Shapes: x any; y dims · repeats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tile {
    /// How often x stands along each axis.
    pub repeats: Vec<usize>,
}

impl Tile {
    fn map(&self, src: &Shape) -> Result<AxisMap, OpError> {
        if self.repeats.len() != src.rank() {
            return Err(OpError::mismatch(
                format!("one number of repeats for each axis of src {src}"),
                format!("repeats {:?}", self.repeats),
                "Use 1 where nothing is repeated.",
            ));
        }
        let positions = |(&dim, &times): (&usize, &usize)| {
            std::iter::repeat_n(0..dim, times).flatten().collect()
        };
        let positions = src.dims().iter().zip(&self.repeats).map(positions);
        Ok(AxisMap::select(src, positions.collect()))
    }
}

moves!(Tile);
