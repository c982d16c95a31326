//! Weighted sum of tensors.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};
use onednn_sys as sys;

/// `dst = Σ scales[i] · src_i`
///
/// Shapes: all equal. Without `dst` the primitive chooses its layout
/// ([`PrimitiveDesc::dst_md`]).
///
/// Arguments: `MULTIPLE_SRC + i`; result `DST`.
///
/// # Errors
/// Besides those of every operation [`Error::Dims`] if there is not one scale per source.
pub fn forward(
    srcs: &[&MemoryDesc],
    scales: &[f32],
    dst: Option<&MemoryDesc>,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    if scales.len() != srcs.len() {
        return Err(Error::Dims { what: "scales", expected: srcs.len(), got: scales.len() });
    }
    let pointers: Vec<*const sys::MemoryDesc> = srcs.iter().map(|md| md.as_ptr()).collect();
    let tensors: Vec<_> = srcs.iter().map(|md| ("src", Some(*md))).chain([("dst", dst)]).collect();
    PrimitiveDesc::create("sum_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call; both arrays have as many as said.
        unsafe {
            (x.f.sum_primitive_desc_create)(
                x.out,
                x.engine,
                optional(dst),
                pointers.len() as i32,
                scales.as_ptr(),
                pointers.as_ptr(),
                x.attr,
            )
        }
    })
}
