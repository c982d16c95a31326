//! Functions of two elements.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};
use onednn_sys::constants as c;

/// Which function of `a` (first source) and `b` (second). Comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// The larger one
    Max,
    /// The smaller one
    Min,
    /// `a >= b`
    Ge,
    /// `a > b`
    Gt,
    /// `a <= b`
    Le,
    /// `a < b`
    Lt,
    /// `a = b`
    Eq,
    /// `a ≠ b`
    Ne,
}

impl Algorithm {
    pub(crate) const fn raw(self) -> i32 {
        match self {
            Algorithm::Add => c::BINARY_ADD,
            Algorithm::Sub => c::BINARY_SUB,
            Algorithm::Mul => c::BINARY_MUL,
            Algorithm::Div => c::BINARY_DIV,
            Algorithm::Max => c::BINARY_MAX,
            Algorithm::Min => c::BINARY_MIN,
            Algorithm::Ge => c::BINARY_GE,
            Algorithm::Gt => c::BINARY_GT,
            Algorithm::Le => c::BINARY_LE,
            Algorithm::Lt => c::BINARY_LT,
            Algorithm::Eq => c::BINARY_EQ,
            Algorithm::Ne => c::BINARY_NE,
        }
    }
}

/// `dst = f(src0, src1)`
///
/// Shapes: equal ranks; sizes of one in a source are broadcast; dst may be the memory of src0.
///
/// Arguments: `SRC_0`, `SRC_1`; result `DST`.
pub fn forward(
    algorithm: Algorithm,
    src0: &MemoryDesc,
    src1: &MemoryDesc,
    dst: &MemoryDesc,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors = [("src0", Some(src0)), ("src1", Some(src1)), ("dst", Some(dst))];
    PrimitiveDesc::create("binary_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.binary_primitive_desc_create)(
                x.out,
                x.engine,
                algorithm.raw(),
                src0.as_ptr(),
                src1.as_ptr(),
                dst.as_ptr(),
                x.attr,
            )
        }
    })
}
