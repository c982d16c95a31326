//! Change of layout and element type.

use crate::{Attr, Error, MemoryDesc, PrimitiveDesc};

/// Copies `src` to `dst`, of the same shape, into its layout and element type.
///
/// Arguments: `FROM`; result `TO`.
pub fn forward(src: &MemoryDesc, dst: &MemoryDesc, attr: &Attr) -> Result<PrimitiveDesc, Error> {
    let tensors = [("src", Some(src)), ("dst", Some(dst))];
    PrimitiveDesc::create("reorder_primitive_desc_create", &tensors, attr, |x| {
        // SAFETY: all pointers are valid for the call.
        unsafe {
            (x.f.reorder_primitive_desc_create)(
                x.out,
                src.as_ptr(),
                x.engine,
                dst.as_ptr(),
                x.engine,
                x.attr,
            )
        }
    })
}
