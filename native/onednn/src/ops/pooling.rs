//! Maximum and mean over a sliding window.

use super::window::Window;
use crate::memory_desc::to_dims;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::{Dims, constants as c};

const FORWARD: &str = "pooling_forward_primitive_desc_create";

/// What is taken of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Maximum.
    Max,
    /// Mean, padding counted as zeros.
    AverageIncludePadding,
    /// Mean of the elements inside the source.
    AverageExcludePadding,
}

impl Algorithm {
    const fn raw(self) -> i32 {
        match self {
            Algorithm::Max => c::POOLING_MAX,
            Algorithm::AverageIncludePadding => c::POOLING_AVG_INCLUDE_PADDING,
            Algorithm::AverageExcludePadding => c::POOLING_AVG_EXCLUDE_PADDING,
        }
    }
}

/// Settings, one number per spatial dimension in each list. Forward and backward use the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What is taken of each window.
    pub algorithm: Algorithm,
    /// Size of the window.
    pub kernel: Vec<usize>,
    /// Step between neighbouring windows.
    pub strides: Vec<usize>,
    /// Step between neighbouring elements of a window; 1 is dense.
    pub dilations: Vec<usize>,
    /// Padding before the first element.
    pub padding_l: Vec<usize>,
    /// Padding after the last element.
    pub padding_r: Vec<usize>,
}

impl Config {
    /// Windows side by side (stride = kernel), dense, no padding.
    pub fn new(algorithm: Algorithm, kernel: &[usize]) -> Config {
        Config {
            algorithm,
            kernel: kernel.to_vec(),
            strides: kernel.to_vec(),
            dilations: vec![1; kernel.len()],
            padding_l: vec![0; kernel.len()],
            padding_r: vec![0; kernel.len()],
        }
    }

    fn window(&self, src: &MemoryDesc) -> Result<(Window, Dims), Error> {
        let Config { kernel, strides, dilations, padding_l, padding_r, .. } = self;
        let spatial = src.rank().saturating_sub(2);
        let window = Window::new(spatial, strides, dilations, padding_l, padding_r)?;
        Ok((window, to_dims("kernel", kernel, spatial)?))
    }
}

/// Shapes: src `[n, c, spatial…]`, dst the same with each spatial size
/// `(in + padding - (kernel - 1)·dilation - 1) / stride + 1`.
///
/// Arguments: `SRC`; results `DST` and, for the maximum in training, `WORKSPACE` (where it was).
pub fn forward(
    prop: PropKind,
    src: &MemoryDesc,
    dst: &MemoryDesc,
    config: &Config,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let (w, kernel) = config.window(src)?;
    let tensors = [("src", Some(src)), ("dst", Some(dst))];
    PrimitiveDesc::create(FORWARD, &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.pooling_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                config.algorithm.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                w.strides.as_ptr(),
                kernel.as_ptr(),
                w.dilates.as_ptr(),
                w.padding_l.as_ptr(),
                w.padding_r.as_ptr(),
                x.attr,
            )
        }
    })
}

/// Gradient of the source.
///
/// Arguments: `DIFF_DST`, for the maximum `WORKSPACE`; result `DIFF_SRC`.
pub fn backward(
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let (w, kernel) = config.window(diff_src)?;
    let tensors = [("diff_src", Some(diff_src)), ("diff_dst", Some(diff_dst))];
    let call = "pooling_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call; the window has one number per dimension.
        unsafe {
            (x.f.pooling_backward_primitive_desc_create)(
                x.out,
                x.engine,
                config.algorithm.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                w.strides.as_ptr(),
                kernel.as_ptr(),
                w.dilates.as_ptr(),
                w.padding_l.as_ptr(),
                w.padding_r.as_ptr(),
                hint,
                x.attr,
            )
        }
    })
}
