//! Attributes of a primitive: what it does to its result before storing it.

use crate::error::check;
use crate::library::Library;
use crate::ops::{binary, eltwise};
use crate::{Error, MemoryDesc};
use onednn_sys::{self as sys, constants as c};
use std::ptr::null_mut;

/// Attributes of a primitive. The scratchpad is always the caller's.
///
/// Post-ops are applied to the result in the order in which they were added, before it is stored:
///
/// ```
/// use onednn::{Attr, ops::eltwise};
/// // dst = relu(conv(src, weights) + bias + dst)
/// let attr = Attr::new().sum(1.0).eltwise(eltwise::Algorithm::Relu, 0.0, 0.0);
/// assert_eq!(attr.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attr {
    post_ops: Vec<PostOp>,
}

#[derive(Clone, Debug, PartialEq)]
enum PostOp {
    Eltwise { algorithm: eltwise::Algorithm, alpha: f32, beta: f32 },
    Sum { scale: f32 },
    Binary { algorithm: binary::Algorithm, src1: MemoryDesc },
}

impl Attr {
    /// No post-ops.
    pub fn new() -> Attr {
        Attr::default()
    }

    /// Applies an element-wise function; `alpha` and `beta` as in [`eltwise::Config`].
    pub fn eltwise(mut self, algorithm: eltwise::Algorithm, alpha: f32, beta: f32) -> Attr {
        self.post_ops.push(PostOp::Eltwise { algorithm, alpha, beta });
        self
    }

    /// Adds `scale` times what the destination held before.
    pub fn sum(mut self, scale: f32) -> Attr {
        self.post_ops.push(PostOp::Sum { scale });
        self
    }

    /// Combines with another tensor of the destination's shape, or with sizes of one where it is
    /// broadcast. It is bound as `arg::ATTR_MULTIPLE_POST_OP(i) | arg::SRC_1`, `i` being the
    /// index of this post-op.
    pub fn binary(mut self, algorithm: binary::Algorithm, src1: &MemoryDesc) -> Attr {
        self.post_ops.push(PostOp::Binary { algorithm, src1: src1.clone() });
        self
    }

    /// Number of post-ops.
    pub fn len(&self) -> usize {
        self.post_ops.len()
    }

    /// True without post-ops.
    pub fn is_empty(&self) -> bool {
        self.post_ops.is_empty()
    }

    /// Builds the C object.
    pub(crate) fn build(&self, library: &'static Library) -> Result<RawAttr, Error> {
        let f = &library.functions;
        let detail = || format!("{self:?}");
        let mut attr = RawAttr { library, ptr: null_mut() };
        // SAFETY: the out pointer is valid.
        let status = unsafe { (f.primitive_attr_create)(&mut attr.ptr) };
        check(status, "primitive_attr_create", detail)?;
        // SAFETY: the attribute was just made.
        let status =
            unsafe { (f.primitive_attr_set_scratchpad_mode)(attr.ptr, c::SCRATCHPAD_MODE_USER) };
        check(status, "primitive_attr_set_scratchpad_mode", detail)?;
        if self.post_ops.is_empty() {
            return Ok(attr);
        }
        let mut post_ops = RawPostOps { library, ptr: null_mut() };
        // SAFETY: the out pointer is valid.
        check(unsafe { (f.post_ops_create)(&mut post_ops.ptr) }, "post_ops_create", detail)?;
        for post_op in &self.post_ops {
            let (call, status) = post_op.append(&post_ops);
            check(status, call, detail)?;
        }
        // SAFETY: both objects are alive; the attribute copies the post-ops.
        let status = unsafe { (f.primitive_attr_set_post_ops)(attr.ptr, post_ops.ptr) };
        check(status, "primitive_attr_set_post_ops", detail)?;
        Ok(attr)
    }
}

impl PostOp {
    /// Appends itself; returns the C function called and its answer.
    fn append(&self, to: &RawPostOps) -> (&'static str, i32) {
        let f = &to.library.functions;
        match self {
            PostOp::Eltwise { algorithm, alpha, beta } => {
                // SAFETY: the list is alive.
                let status =
                    unsafe { (f.post_ops_append_eltwise)(to.ptr, algorithm.raw(), *alpha, *beta) };
                ("post_ops_append_eltwise", status)
            }
            PostOp::Sum { scale } => {
                // SAFETY: the list is alive.
                let status =
                    unsafe { (f.post_ops_append_sum)(to.ptr, *scale, 0, c::DATA_TYPE_UNDEF) };
                ("post_ops_append_sum", status)
            }
            PostOp::Binary { algorithm, src1 } => {
                // SAFETY: list and descriptor are alive; the descriptor is copied.
                let status =
                    unsafe { (f.post_ops_append_binary)(to.ptr, algorithm.raw(), src1.as_ptr()) };
                ("post_ops_append_binary", status)
            }
        }
    }
}

/// The C attribute; lives while a primitive descriptor is made.
pub(crate) struct RawAttr {
    library: &'static Library,
    pub(crate) ptr: *mut sys::PrimitiveAttr,
}

impl Drop for RawAttr {
    fn drop(&mut self) {
        // SAFETY: owned by this value and destroyed once; null is accepted.
        unsafe { (self.library.functions.primitive_attr_destroy)(self.ptr) };
    }
}

struct RawPostOps {
    library: &'static Library,
    ptr: *mut sys::PostOps,
}

impl Drop for RawPostOps {
    fn drop(&mut self) {
        // SAFETY: owned by this value and destroyed once; null is accepted.
        unsafe { (self.library.functions.post_ops_destroy)(self.ptr) };
    }
}
