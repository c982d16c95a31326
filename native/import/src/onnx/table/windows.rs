//! Windows of convolutions and pools with their padding spelled out.

use super::super::Error;
use super::super::node::Node;
use nn::AutoPad;

/// What a window does in each spatial dimension.
pub(super) struct Window {
    pub kernel: Vec<usize>,
    pub strides: Vec<usize>,
    pub dilations: Vec<usize>,
    /// In front in all dimensions, then behind.
    pub pads: Vec<usize>,
}

/// Largest extent, step, distance or padding; products of a few of them are numbers still.
pub(super) const MOST: usize = 1 << 20;

/// So many sizes of a node, none of them beyond measure.
pub(super) fn list(
    n: &Node<'_, '_>,
    name: &str,
    count: usize,
    default: Vec<usize>,
) -> Result<Vec<usize>, Error> {
    let given = n.sizes(name)?.filter(|sizes| !sizes.is_empty()).unwrap_or(default);
    if given.len() == count && given.iter().all(|&size| size <= MOST) {
        return Ok(given);
    }
    Err(n.fail(format!("expected {count} numbers as {name}, got {given:?}")))
}

/// Who decides about the padding.
pub(super) fn auto_pad(n: &Node<'_, '_>) -> Result<AutoPad, Error> {
    Ok(match n.text("auto_pad")?.unwrap_or("NOTSET") {
        "" | "NOTSET" => AutoPad::NotSet,
        "VALID" => AutoPad::Valid,
        "SAME_UPPER" => AutoPad::SameUpper,
        "SAME_LOWER" => AutoPad::SameLower,
        other => return Err(n.fail(format!("auto_pad {other} is not known"))),
    })
}

impl Window {
    /// The window of a node over a source of these spatial extents; `kernel` is its extent if the
    /// node does not say.
    pub fn of(n: &Node<'_, '_>, extents: &[usize], kernel: &[usize]) -> Result<Window, Error> {
        let rank = extents.len();
        let or = |name: &str, default: Vec<usize>| list(n, name, rank, default);
        let kernel = or("kernel_shape", kernel.to_vec())?;
        let strides = or("strides", vec![1; rank])?;
        let dilations = or("dilations", vec![1; rank])?;
        if strides.contains(&0) || kernel.contains(&0) || dilations.contains(&0) {
            return Err(n.fail("expected a kernel, strides and dilations of at least 1"));
        }
        let mut window = Window { kernel, strides, dilations, pads: vec![0; 2 * rank] };
        match auto_pad(n)? {
            AutoPad::NotSet => window.pads = list(n, "pads", 2 * rank, window.pads)?,
            AutoPad::Valid => {}
            same @ (AutoPad::SameUpper | AutoPad::SameLower) => {
                for (i, &extent) in extents.iter().enumerate() {
                    let need = window.missing(i, extent);
                    let upper = same == AutoPad::SameUpper;
                    let front = if upper { need / 2 } else { need.div_ceil(2) };
                    window.pads[i] = front;
                    window.pads[rank + i] = need - front;
                }
            }
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
