//! Normalization of each row over its last dimension.
//!
//! Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "layer_normalization_forward_primitive_desc_create";

/// Settings. Forward and backward use the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Added to the variance.
    pub epsilon: f32,
    /// Mean and variance are given instead of computed.
    pub use_global_stats: bool,
    /// A factor per element of a row is given.
    pub use_scale: bool,
    /// A summand per element of a row is given.
    pub use_shift: bool,
}

impl Default for Config {
    /// Epsilon 1e-5, scale and shift, statistics computed.
    fn default() -> Config {
        Config { epsilon: 1e-5, use_global_stats: false, use_scale: true, use_shift: true }
    }
}

impl Config {
    fn flags(&self) -> u32 {
        [
            (self.use_global_stats, c::USE_GLOBAL_STATS),
            (self.use_scale, c::USE_SCALE),
            (self.use_shift, c::USE_SHIFT),
        ]
        .into_iter()
        .filter(|(used, _)| *used)
        .fold(c::NORMALIZATION_FLAGS_NONE, |flags, (_, flag)| flags | flag)
    }
}

/// `dst = scale[c] · (src - mean) / √(variance + epsilon) + shift[c]`, c being the last dimension.
///
/// Shapes: src and dst `[…, c]`; mean and variance `[…]`; scale and shift `[c]` f32. The layout of
/// the statistics, `stat`, is row-major f32 if not given.
///
/// Arguments: `SRC`, `SCALE` and `SHIFT` if used; result `DST`. `MEAN` and `VARIANCE` are
/// arguments with global statistics, results in training without them, and not used in inference
/// without them.
pub fn forward(
    prop: PropKind,
    src: &MemoryDesc,
    dst: &MemoryDesc,
    stat: Option<&MemoryDesc>,
    config: &Config,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("src", Some(src)), ("dst", Some(dst)), ("stat", stat)];
    PrimitiveDesc::create(FORWARD, &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.layer_normalization_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                optional(stat),
                config.epsilon,
                config.flags(),
                x.attr,
            )
        }
    })
}

/// Gradients; `prop` is [`PropKind::Backward`] or, without those of scale and shift,
/// [`PropKind::BackwardData`].
///
/// Arguments: `SRC`, `MEAN`, `VARIANCE`, `DIFF_DST`, `SCALE` if used, `SHIFT` if
/// [`backward_takes_shift`]; results `DIFF_SRC` and, if used, `DIFF_SCALE`, `DIFF_SHIFT`.
pub fn backward(
    prop: PropKind,
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    src: &MemoryDesc,
    stat: Option<&MemoryDesc>,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [
        ("diff_src", Some(diff_src)),
        ("diff_dst", Some(diff_dst)),
        ("src", Some(src)),
        ("stat", stat),
    ];
    let call = "layer_normalization_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.layer_normalization_backward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                src.as_ptr(),
                optional(stat),
                config.epsilon,
                config.flags(),
                hint,
                x.attr,
            )
        }
    })
}

/// True if this backward descriptor wants `SHIFT` bound: oneDNN 3.2 does, 3.11 refuses it.
pub fn backward_takes_shift(desc: &PrimitiveDesc, config: &Config) -> bool {
    // The source, its two statistics and the gradient are always read.
    config.use_shift && desc.inputs() == 4 + i32::from(config.use_scale) + 1
}
