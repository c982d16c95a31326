//! Matrix product, batched.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};

/// `dst[…,m,n] = Σ_k src[…,m,k] · weights[…,k,n] + bias`
///
/// Shapes:
/// - src `[batch…, m, k]`, weights `[batch…, k, n]`, dst `[batch…, m, n]`, equal ranks; batch
///   sizes of one are broadcast
/// - bias: rank of dst, sizes of dst or one
///
/// A transposed operand is one whose strides are exchanged ([`MemoryDesc::strided`]).
///
/// Arguments: `SRC`, `WEIGHTS`, `BIAS` if described; result `DST`.
pub fn forward(
    src: &MemoryDesc,
    weights: &MemoryDesc,
    bias: Option<&MemoryDesc>,
    dst: &MemoryDesc,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let tensors =
        [("src", Some(src)), ("weights", Some(weights)), ("bias", bias), ("dst", Some(dst))];
    PrimitiveDesc::create("matmul_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.matmul_primitive_desc_create)(
                x.out,
                x.engine,
                src.as_ptr(),
                weights.as_ptr(),
                optional(bias),
                dst.as_ptr(),
                x.attr,
            )
        }
    })
}
