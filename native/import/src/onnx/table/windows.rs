//! Windows of convolutions and pools with their padding spelled out.

use super::super::Error;
use super::super::node::Node;

/// What a window does in each spatial dimension.
pub(super) struct Window {
    pub kernel: Vec<usize>,
    pub strides: Vec<usize>,
    pub dilations: Vec<usize>,
    /// In front in all dimensions, then behind.
    pub pads: Vec<usize>,
}

/// Largest extent, step, distance or padding; products of a few of them are numbers still.
const MOST: usize = 1 << 20;

impl Window {
    /// The window of a node over a source of these spatial extents; `kernel` is its extent if the
    /// node does not say.
    pub fn of(n: &Node<'_, '_>, extents: &[usize], kernel: &[usize]) -> Result<Window, Error> {
        let rank = extents.len();
        let or = |name: &str, default: Vec<usize>| -> Result<Vec<usize>, Error> {
            let given = n.sizes(name)?.filter(|sizes| !sizes.is_empty()).unwrap_or(default);
            if given.len() == rank && given.iter().all(|&size| size <= MOST) {
                return Ok(given);
            }
            Err(n.fail(format!("expected {rank} numbers as {name}, got {given:?}")))
        };
        let kernel = or("kernel_shape", kernel.to_vec())?;
        let strides = or("strides", vec![1; rank])?;
        let dilations = or("dilations", vec![1; rank])?;
        if strides.contains(&0) || kernel.contains(&0) || dilations.contains(&0) {
            return Err(n.fail("expected a kernel, strides and dilations of at least 1"));
        }
        let mut window = Window { kernel, strides, dilations, pads: vec![0; 2 * rank] };
        match n.text("auto_pad")?.unwrap_or("NOTSET") {
            "" | "NOTSET" => {
                if let Some(pads) = n.sizes("pads")?.filter(|pads| !pads.is_empty()) {
                    window.pads = pads;
                }
            }
            "VALID" => {}
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                for i in 0..rank {
                    let need = window.missing(i, extents[i]);
                    let front = if same == "SAME_UPPER" { need / 2 } else { need.div_ceil(2) };
                    window.pads[i] = front;
                    window.pads[rank + i] = need - front;
                }
            }
            other => return Err(n.fail(format!("auto_pad {other} is not known"))),
        }
        if window.pads.len() != 2 * rank || window.pads.iter().any(|&pad| pad > MOST) {
            return Err(n.fail(format!("expected {} pads, got {:?}", 2 * rank, window.pads)));
        }
        Ok(window)
    }

    /// What a dimension lacks for ⌈extent / stride⌉ windows.
    fn missing(&self, i: usize, extent: usize) -> usize {
        let windows = extent.div_ceil(self.strides[i]);
        let reach =
            (windows.max(1) - 1) * self.strides[i] + (self.kernel[i] - 1) * self.dilations[i] + 1;
        reach.saturating_sub(extent)
    }
}
