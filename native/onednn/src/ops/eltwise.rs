//! Functions of one element.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc, PropKind};
use onednn_sys::constants as c;

const FORWARD: &str = "eltwise_forward_primitive_desc_create";

/// Which function. Those named `…UseDst` compute the same; their backward reads `DST` instead of
/// `SRC`, so that forward may work in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `x > 0 ? x : alpha x`
    Relu,
    /// `tanh x`
    Tanh,
    /// `x > 0 ? x : alpha (exp x - 1)`
    Elu,
    /// `x²`
    Square,
    /// `|x|`
    Abs,
    /// `√x`
    Sqrt,
    /// `alpha x + beta`
    Linear,
    /// `ln(1 + exp(alpha x)) / alpha`
    SoftRelu,
    /// `max(0, min(1, alpha x + beta))`
    HardSigmoid,
    /// `1 / (1 + exp(-x))`
    Logistic,
    /// `exp x`
    Exp,
    /// GELU by its tanh approximation
    GeluTanh,
    /// `x / 2 (1 + erf(x / √2))`
    GeluErf,
    /// `x / (1 + exp(-alpha x))`
    Swish,
    /// `ln x`
    Log,
    /// `min(beta, max(alpha, x))`; derivative 1 inside and at `beta`, 0 elsewhere
    Clip,
    /// `min(beta, max(alpha, x))`; derivative 0 at both ends
    ClipV2,
    /// `alpha x^beta`
    Pow,
    /// To the nearest integer, ties to even; forward only
    Round,
    /// `x tanh(ln(1 + exp x))`
    Mish,
    /// `x max(0, min(1, alpha x + beta))`
    HardSwish,
    /// As [`Relu`](Self::Relu), for `alpha >= 0`
    ReluUseDst,
    /// As [`Tanh`](Self::Tanh)
    TanhUseDst,
    /// As [`Elu`](Self::Elu), for `alpha >= 0`
    EluUseDst,
    /// As [`Sqrt`](Self::Sqrt)
    SqrtUseDst,
    /// As [`Logistic`](Self::Logistic)
    LogisticUseDst,
    /// As [`Exp`](Self::Exp)
    ExpUseDst,
    /// As [`ClipV2`](Self::ClipV2)
    ClipV2UseDst,
}

impl Algorithm {
    pub(crate) const fn raw(self) -> i32 {
        match self {
            Algorithm::Relu => c::ELTWISE_RELU,
            Algorithm::Tanh => c::ELTWISE_TANH,
            Algorithm::Elu => c::ELTWISE_ELU,
            Algorithm::Square => c::ELTWISE_SQUARE,
            Algorithm::Abs => c::ELTWISE_ABS,
            Algorithm::Sqrt => c::ELTWISE_SQRT,
            Algorithm::Linear => c::ELTWISE_LINEAR,
            Algorithm::SoftRelu => c::ELTWISE_SOFT_RELU,
            Algorithm::HardSigmoid => c::ELTWISE_HARDSIGMOID,
            Algorithm::Logistic => c::ELTWISE_LOGISTIC,
            Algorithm::Exp => c::ELTWISE_EXP,
            Algorithm::GeluTanh => c::ELTWISE_GELU_TANH,
            Algorithm::GeluErf => c::ELTWISE_GELU_ERF,
            Algorithm::Swish => c::ELTWISE_SWISH,
            Algorithm::Log => c::ELTWISE_LOG,
            Algorithm::Clip => c::ELTWISE_CLIP,
            Algorithm::ClipV2 => c::ELTWISE_CLIP_V2,
            Algorithm::Pow => c::ELTWISE_POW,
            Algorithm::Round => c::ELTWISE_ROUND,
            Algorithm::Mish => c::ELTWISE_MISH,
            Algorithm::HardSwish => c::ELTWISE_HARDSWISH,
            Algorithm::ReluUseDst => c::ELTWISE_RELU_USE_DST_FOR_BWD,
            Algorithm::TanhUseDst => c::ELTWISE_TANH_USE_DST_FOR_BWD,
            Algorithm::EluUseDst => c::ELTWISE_ELU_USE_DST_FOR_BWD,
            Algorithm::SqrtUseDst => c::ELTWISE_SQRT_USE_DST_FOR_BWD,
            Algorithm::LogisticUseDst => c::ELTWISE_LOGISTIC_USE_DST_FOR_BWD,
            Algorithm::ExpUseDst => c::ELTWISE_EXP_USE_DST_FOR_BWD,
            Algorithm::ClipV2UseDst => c::ELTWISE_CLIP_V2_USE_DST_FOR_BWD,
        }
    }
}

/// Settings. Forward and backward use the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Which function.
    pub algorithm: Algorithm,
    /// First parameter of the function, where it has one.
    pub alpha: f32,
    /// Second parameter of the function, where it has one.
    pub beta: f32,
}

impl Config {
    /// A function without parameters, or with both 0.
    pub fn new(algorithm: Algorithm) -> Config {
        Config { algorithm, alpha: 0.0, beta: 0.0 }
    }
}

/// `dst = f(src)`; may work in place (one slice bound as both).
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
            (x.f.eltwise_forward_primitive_desc_create)(
                x.out,
                x.engine,
                prop.raw(),
                config.algorithm.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                config.alpha,
                config.beta,
                x.attr,
            )
        }
    })
}

/// `diff_src = f'(src) · diff_dst`; may work in place. `data` describes src, or dst for the
/// functions named `…UseDst`.
///
/// Arguments: `SRC` (`DST` for `…UseDst`), `DIFF_DST`; result `DIFF_SRC`.
pub fn backward(
    diff_src: &MemoryDesc,
    diff_dst: &MemoryDesc,
    data: &MemoryDesc,
    config: &Config,
    hint: &PrimitiveDesc,
) -> Result<PrimitiveDesc, Error> {
    let tensors =
        [("diff_src", Some(diff_src)), ("diff_dst", Some(diff_dst)), ("data", Some(data))];
    let call = "eltwise_backward_primitive_desc_create";
    let hint = hint.as_hint(call, FORWARD)?;
    PrimitiveDesc::create(call, &tensors, &Attr::new(), |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.eltwise_backward_primitive_desc_create)(
                x.out,
                x.engine,
                config.algorithm.raw(),
                diff_src.as_ptr(),
                diff_dst.as_ptr(),
                data.as_ptr(),
                config.alpha,
                config.beta,
                hint,
                x.attr,
            )
        }
    })
}
