//! Local response normalization.
//!
//! Source: A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep
//! Convolutional Neural Networks", 2012.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "lrn_forward_primitive_desc_create";

/// Which neighbours an element is normalized by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The same place in neighbouring channels.
    AcrossChannels,
    /// Neighbouring places in the same channel.
    WithinChannel,
}

impl Algorithm {
    const fn raw(self) -> i32 {
        match self {
            Algorithm::AcrossChannels => c::LRN_ACROSS_CHANNELS,
            Algorithm::WithinChannel => c::LRN_WITHIN_CHANNEL,
        }
    }
}

/// Settings. Forward and backward use the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Which neighbours.
    pub algorithm: Algorithm,
    /// Extent of the neighbourhood along each of its dimensions, odd.
    pub local_size: usize,
    /// Factor of the sum of squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Summand.
    pub k: f32,
}

impl Default for Config {
    /// Across 5 channels, alpha 1e-4, beta 0.75, k 1.
    fn default() -> Config {
        Config {
            algorithm: Algorithm::AcrossChannels,
            local_size: 5,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }
}

/// `dst = src · (k + alpha/s · Σ src²)^(-beta)`, summed over the neighbourhood of s elements
/// (`local_size`, or `local_size²` within a channel).
///
/// Shapes: src and dst `[n, c, h, w]`.
///
/// Arguments: `SRC`; results `DST` and in training `WORKSPACE`.
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
            (x.f.lrn_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                config.algorithm.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                config.local_size as i64,
                config.alpha,
                config.beta,
                config.k,
                x.attr,
            )
        }
    })
}

/// Gradient of the source.
///
/// Arguments: `SRC`, `DIFF_DST`, and `WORKSPACE` if this descriptor has one (the implementation
/// may recompute what forward kept); result `DIFF_SRC`.
pub fn backward(
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    src: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("diff_src", Some(diff_src)), ("diff_dst", Some(diff_dst)), ("src", Some(src))];
    let call = "lrn_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.lrn_backward_primitive_desc_create)(
                x.out,
                x.engine,
                config.algorithm.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                src.as_ptr(),
                config.local_size as i64,
                config.alpha,
                config.beta,
                config.k,
                hint,
                x.attr,
            )
        }
    })
}
