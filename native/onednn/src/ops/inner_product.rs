//! Fully connected layer.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};

const FORWARD: &str = "inner_product_forward_primitive_desc_create";

/// `dst[n,o] = bias[o] + Σ src[n,i] · weights[o,i]`, summed over i and, if src has spatial
/// dimensions, over those too.
///
/// Shapes:
/// - src `[n, ic]` or `[n, ic, spatial…]`
/// - weights `[oc, ic]` or `[oc, ic, spatial…]`
/// - bias `[oc]`
/// - dst `[n, oc]`
///
/// Arguments: `SRC`, `WEIGHTS`, `BIAS` if described; result `DST`.
pub fn forward(
    prop: PropKind,
    src: &MemoryDesc,
    weights: &MemoryDesc,
    bias: Option<&MemoryDesc>,
    dst: &MemoryDesc,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors =
        [("src", Some(src)), ("weights", Some(weights)), ("bias", bias), ("dst", Some(dst))];
    PrimitiveDesc::create(FORWARD, &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.inner_product_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                src.as_ptr(),
                weights.as_ptr(),
                optional(bias),
                dst.as_ptr(),
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
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors =
        [("diff_src", Some(diff_src)), ("weights", Some(weights)), ("diff_dst", Some(diff_dst))];
    let call = "inner_product_backward_data_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.inner_product_backward_data_primitive_desc_create)(
                x.out,
                x.engine,
                diff_src.as_ptr(),
                weights.as_ptr(),
                diff_dst.as_ptr(),
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
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [
        ("src", Some(src)),
        ("diff_weights", Some(diff_weights)),
        ("diff_bias", diff_bias),
        ("diff_dst", Some(diff_dst)),
    ];
    let call = "inner_product_backward_weights_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.inner_product_backward_weights_primitive_desc_create)(
                x.out,
                x.engine,
                src.as_ptr(),
                diff_weights.as_ptr(),
                optional(diff_bias),
                diff_dst.as_ptr(),
                hint,
                x.attr,
            )
        }
    })
}
