//! Normalization of each channel over batch and space.
//!
//! Source: S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by
//! Reducing Internal Covariate Shift", 2015.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "batch_normalization_forward_primitive_desc_create";

/// Settings. Forward and backward use the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Added to the variance.
    pub epsilon: f32,
    /// Mean and variance are given instead of computed.
    pub use_global_stats: bool,
    /// A factor per channel is given.
    pub use_scale: bool,
    /// A summand per channel is given.
    pub use_shift: bool,
    /// ReLU follows; in training its mask is the workspace.
    pub fuse_norm_relu: bool,
}

impl Default for Config {
    /// Epsilon 1e-5, scale and shift, statistics computed, no ReLU.
    fn default() -> Config {
        Config {
            epsilon: 1e-5,
            use_global_stats: false,
            use_scale: true,
            use_shift: true,
            fuse_norm_relu: false,
        }
    }
}

impl Config {
    fn flags(&self) -> u32 {
        [
            (self.use_global_stats, c::USE_GLOBAL_STATS),
            (self.use_scale, c::USE_SCALE),
            (self.use_shift, c::USE_SHIFT),
            (self.fuse_norm_relu, c::FUSE_NORM_RELU),
        ]
        .into_iter()
        .filter(|(used, _)| *used)
        .fold(c::NORMALIZATION_FLAGS_NONE, |flags, (_, flag)| flags | flag)
    }
}

/// `dst = scale[c] · (src - mean[c]) / √(variance[c] + epsilon) + shift[c]`
///
/// Shapes: src and dst `[n, c, spatial…]`; mean, variance, scale, shift `[c]` f32. The variance is
/// the biased one (divided by the number of elements).
///
/// Arguments: `SRC`, `SCALE` and `SHIFT` if used; result `DST`. `MEAN` and `VARIANCE` are
/// arguments with global statistics, results in training without them, and not used in inference
/// without them. `WORKSPACE` is a result of training with a fused ReLU.
pub fn forward(
    prop: PropKind,
    src: &MemoryDesc,
    dst: &MemoryDesc,
    config: &Config,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("src", Some(src)), ("dst", Some(dst))];
    PrimitiveDesc::create(FORWARD, &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.batch_normalization_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                src.as_ptr(),
                dst.as_ptr(),
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
/// Arguments: `SRC`, `MEAN`, `VARIANCE`, `DIFF_DST`, `SCALE` if used (never `SHIFT`), `WORKSPACE`
/// with a fused ReLU; results `DIFF_SRC` and, if used, `DIFF_SCALE`, `DIFF_SHIFT`.
pub fn backward(
    prop: PropKind,
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    src: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("diff_src", Some(diff_src)), ("diff_dst", Some(diff_dst)), ("src", Some(src))];
    let call = "batch_normalization_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.batch_normalization_backward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                src.as_ptr(),
                config.epsilon,
                config.flags(),
                hint,
                x.attr,
            )
        }
    })
}
