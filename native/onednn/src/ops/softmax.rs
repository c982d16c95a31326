//! Softmax and its logarithm along one axis.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "softmax_forward_primitive_desc_create";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `exp(x - max) / Σ exp(x - max)`
    Accurate,
    /// `x - max - ln Σ exp(x - max)`
    Log,
}

impl Algorithm {
    const fn raw(self) -> i32 {
        match self {
            Algorithm::Accurate => c::SOFTMAX_ACCURATE,
            Algorithm::Log => c::SOFTMAX_LOG,
        }
    }
}

/// Settings. Forward and backward use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Softmax or its logarithm.
    pub algorithm: Algorithm,
    /// The axis along which the results (or their exponentials) sum to one.
    pub axis: usize,
}

/// Shapes: src and dst equal; may work in place.
///
/// Arguments: `SRC`; result `DST`.
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
            (x.f.softmax_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                config.algorithm.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                config.axis as i32,
                x.attr,
            )
        }
    })
}

/// Gradient of the source, from the result of forward.
///
/// Arguments: `DST`, `DIFF_DST`; result `DIFF_SRC`.
pub fn backward(
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    dst: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("diff_src", Some(diff_src)), ("diff_dst", Some(diff_dst)), ("dst", Some(dst))];
    let call = "softmax_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.softmax_backward_primitive_desc_create)(
                x.out,
                x.engine,
                config.algorithm.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                dst.as_ptr(),
                config.axis as i32,
                hint,
                x.attr,
            )
        }
    })
}
