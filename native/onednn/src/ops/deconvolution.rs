//! Transposed convolution in one to three spatial dimensions, with groups.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "deconvolution_forward_primitive_desc_create";

pub use super::convolution::Config;

/// The transpose of a convolution: forward here is what backward of the data is there.
///
/// Shapes:
/// - src `[n, ic, spatial…]`
/// - weights `[oc, ic, kernel…]`, or with g groups `[g, oc/g, ic/g, kernel…]`
/// - bias `[oc]`
/// - dst `[n, oc, spatial…]`; along each: `(in - 1)·stride + (kernel - 1)·dilation + 1 - padding`
///
/// Arguments: `SRC`, `WEIGHTS`, `BIAS` if described; result `DST`.
pub fn forward(
    prop: PropKind,
    src: &MemoryDesc,
    weights: &MemoryDesc,
    bias: Option<&MemoryDesc>,
    dst: &MemoryDesc,
    config: &Config,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let w = config.window(src)?;
    let tensors =
        [("src", Some(src)), ("weights", Some(weights)), ("bias", bias), ("dst", Some(dst))];
    PrimitiveDesc::create(FORWARD, &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.deconvolution_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                c::DECONVOLUTION_DIRECT,
                src.as_ptr(),
                weights.as_ptr(),
                optional(bias),
                dst.as_ptr(),
                w.strides.as_ptr(),
                w.dilates.as_ptr(),
                w.padding_l.as_ptr(),
                w.padding_r.as_ptr(),
                x.attr,
            )
        }
    })
}

/// Gradient of the source. The layout of the weights may differ from the one that forward wants.
///
/// Arguments: `DIFF_DST`, `WEIGHTS`; result `DIFF_SRC`.
pub fn backward_data(
    diff_src: &MemoryDesc,
    weights: &MemoryDesc,
    diff_dst: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let w = config.window(diff_src)?;
    let tensors =
        [("diff_src", Some(diff_src)), ("weights", Some(weights)), ("diff_dst", Some(diff_dst))];
    let call = "deconvolution_backward_data_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.deconvolution_backward_data_primitive_desc_create)(
                x.out,
                x.engine,
                c::DECONVOLUTION_DIRECT,
                diff_src.as_ptr(),
                weights.as_ptr(),
                diff_dst.as_ptr(),
                w.strides.as_ptr(),
                w.dilates.as_ptr(),
                w.padding_l.as_ptr(),
                w.padding_r.as_ptr(),
                hint,
                x.attr,
            )
        }
    })
}

/// Gradients of weights and bias.
///
/// Arguments: `SRC`, `DIFF_DST`; results `DIFF_WEIGHTS` and, if described, `DIFF_BIAS`.
pub fn backward_weights(
    src: &MemoryDesc,
    diff_weights: &MemoryDesc,
    diff_bias: Option<&MemoryDesc>,
    diff_dst: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let w = config.window(src)?;
    let tensors = [
        ("src", Some(src)),
        ("diff_weights", Some(diff_weights)),
        ("diff_bias", diff_bias),
        ("diff_dst", Some(diff_dst)),
    ];
    let call = "deconvolution_backward_weights_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.deconvolution_backward_weights_primitive_desc_create)(
                x.out,
                x.engine,
                c::DECONVOLUTION_DIRECT,
                src.as_ptr(),
                diff_weights.as_ptr(),
                optional(diff_bias),
                diff_dst.as_ptr(),
                w.strides.as_ptr(),
                w.dilates.as_ptr(),
                w.padding_l.as_ptr(),
                w.padding_r.as_ptr(),
                hint,
                x.attr,
            )
        }
    })
}
