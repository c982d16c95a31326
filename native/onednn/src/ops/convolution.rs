//! Convolution in one to three spatial dimensions, with groups.

use super::window::Window;
use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "convolution_forward_primitive_desc_create";

/// Settings, one number per spatial dimension in each list. Forward and backward use the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Step between neighbouring windows.
    pub strides: Vec<usize>,
    /// Step between neighbouring elements of a window; 1 is dense.
    pub dilations: Vec<usize>,
    /// Zeros before the first element.
    pub padding_l: Vec<usize>,
    /// Zeros after the last element.
    pub padding_r: Vec<usize>,
}

impl Config {
    /// Stride 1, dense, no padding.
    pub fn new(spatial: usize) -> Config {
        Config {
            strides: vec![1; spatial],
            dilations: vec![1; spatial],
            padding_l: vec![0; spatial],
            padding_r: vec![0; spatial],
        }
    }

    pub(super) fn window(&self, src: &MemoryDesc) -> Result<Window, Error> {
        let Config { strides, dilations, padding_l, padding_r } = self;
        Window::new(src.rank().saturating_sub(2), strides, dilations, padding_l, padding_r)
    }
}

/// `dst[n,o,y] = bias[o] + Σ src[n,i, y·stride + k·dilation - padding_l] · weights[o,i,k]`, summed
/// over i and k.
///
/// Shapes:
/// - src `[n, ic, spatial…]`
/// - weights `[oc, ic, kernel…]`, or with g groups `[g, oc/g, ic/g, kernel…]`
/// - bias `[oc]`
/// - dst `[n, oc, spatial…]`; along each: `(in + padding - (kernel - 1)·dilation - 1) / stride + 1`
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
            (x.f.convolution_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                c::CONVOLUTION_DIRECT,
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
    let call = "convolution_backward_data_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.convolution_backward_data_primitive_desc_create)(
                x.out,
                x.engine,
                c::CONVOLUTION_DIRECT,
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
    let call = "convolution_backward_weights_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.convolution_backward_weights_primitive_desc_create)(
                x.out,
                x.engine,
                c::CONVOLUTION_DIRECT,
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
