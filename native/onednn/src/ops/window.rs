//! Strides, dilations and paddings in the form the C functions take.

use crate::Error;
use crate::memory_desc::to_dims;
use onednn_sys::Dims;

/// The four lists of a sliding window, one number per spatial dimension each.
pub(crate) struct Window {
    pub strides: Dims,
    /// oneDNN counts the gaps: a dense window has 0.
    pub dilates: Dims,
    pub padding_l: Dims,
    pub padding_r: Dims,
}

impl Window {
    /// `spatial` is the rank of the source minus batch and channels. `dilations` count steps (1 is
    /// dense).
    pub(crate) fn new(
        spatial: usize,
        strides: &[usize],
        dilations: &[usize],
        padding_l: &[usize],
        padding_r: &[usize],
    ) -> Result<Window, Error> {
        let mut dilates = to_dims("dilations", dilations, spatial)?;
        for dilate in &mut dilates[..spatial] {
            *dilate -= 1;
        }
        Ok(Window {
            strides: to_dims("strides", strides, spatial)?,
            dilates,
            padding_l: to_dims("padding_l", padding_l, spatial)?,
            padding_r: to_dims("padding_r", padding_r, spatial)?,
        })
    }
}
