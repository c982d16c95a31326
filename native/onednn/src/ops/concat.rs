//! Tensors side by side.

use crate::primitive_desc::optional;
use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};
use onednn_sys as sys;

/// Puts the sources one after the other along `axis`.
///
/// Shapes: equal except along `axis`, where dst has the sum of the sizes. Without `dst` the
/// primitive chooses its layout ([`PrimitiveDesc::dst_md`]).
///
/// Arguments: `MULTIPLE_SRC + i`; result `DST`.
pub fn forward(
    srcs: &[&MemoryDesc],
    dst: Option<&MemoryDesc>,
    axis: usize,
    attr: &Attr,
) -> Result<PrimitiveDesc, Error> {
    let pointers: Vec<*const sys::MemoryDesc> = srcs.iter().map(|md| md.as_ptr()).collect();
    let tensors: Vec<_> = srcs.iter().map(|md| ("src", Some(*md))).chain([("dst", dst)]).collect();
    PrimitiveDesc::create("concat_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call; the array has as many as said.
        unsafe {
            (x.f.concat_primitive_desc_create)(
                x.out,
                x.engine,
                optional(dst),
                pointers.len() as i32,
                axis as i32,
                pointers.as_ptr(),
                x.attr,
            )
        }
    })
}
