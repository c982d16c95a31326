//! Sum, mean, extrema and norms over some dimensions.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};
use onednn_sys::constants as c;

/// What is taken of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Sum
    Sum,
    /// Mean
    Mean,
    /// Maximum
    Max,
    /// Minimum
    Min,
    /// Product
    Mul,
    /// `max(Σ|x|^p, eps)^(1/p)`
    NormLpMax,
    /// `(Σ|x|^p + eps)^(1/p)`
    NormLpSum,
    /// `max(Σ|x|^p, eps)`
    NormLpPowerPMax,
    /// `Σ|x|^p + eps`
    NormLpPowerPSum,
}

impl Algorithm {
    const fn raw(self) -> i32 {
        match self {
            Algorithm::Sum => c::REDUCTION_SUM,
            Algorithm::Mean => c::REDUCTION_MEAN,
            Algorithm::Max => c::REDUCTION_MAX,
            Algorithm::Min => c::REDUCTION_MIN,
            Algorithm::Mul => c::REDUCTION_MUL,
            Algorithm::NormLpMax => c::REDUCTION_NORM_LP_MAX,
            Algorithm::NormLpSum => c::REDUCTION_NORM_LP_SUM,
            Algorithm::NormLpPowerPMax => c::REDUCTION_NORM_LP_POWER_P_MAX,
            Algorithm::NormLpPowerPSum => c::REDUCTION_NORM_LP_POWER_P_SUM,
        }
    }
}

/// Settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// What is taken of the elements.
    pub algorithm: Algorithm,
    /// The p of the norms, at least 1; not used by the others.
    pub p: f32,
    /// The eps of the norms; not used by the others.
    pub eps: f32,
}

impl Config {
    /// No norm: p and eps are 0.
    pub fn new(algorithm: Algorithm) -> Config {
        Config { algorithm, p: 0.0, eps: 0.0 }
    }
}

/// Reduces every dimension in which dst has size one and src has more.
///
/// Arguments: `SRC`; result `DST`.
pub fn forward(
    src: &MemoryDesc,
    dst: &MemoryDesc,
    config: &Config,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("src", Some(src)), ("dst", Some(dst))];
    PrimitiveDesc::create("reduction_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.reduction_primitive_desc_create)(
                x.out,
                x.engine,
                config.algorithm.raw(),
                src.as_ptr(),
                dst.as_ptr(),
                config.p,
                config.eps,
                x.attr,
            )
        }
    })
}
