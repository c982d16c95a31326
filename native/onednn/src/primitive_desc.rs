//! An operation with its implementation and layouts chosen.

use crate::error::check;
use crate::library::Library;
use crate::{Attr, Error, MemoryDesc, team};
use onednn_sys::{self as sys, constants as c};
use std::ffi::{CStr, c_char};
use std::fmt;
use std::ptr::{NonNull, null};
use std::sync::Arc;

/// An operation on described tensors, with the implementation chosen and so the layouts known.
/// Made by the functions of [`ops`](crate::ops). Cheap to clone.
///
/// Descriptors that the operation does not have come back empty
/// ([`MemoryDesc::is_empty`]).
#[derive(Clone)]
pub struct PrimitiveDesc {
    raw: Arc<Raw>,
}

struct Raw {
    library: &'static Library,
    ptr: NonNull<sys::PrimitiveDesc>,
    /// The constructor it comes from.
    call: &'static str,
    /// Threads that it was described for: it is compiled and run on as many.
    threads: usize,
    /// What `copy_of` gives for a tensor that does not exist, made in advance so that the
    /// accessors cannot fail for lack of the library.
    empty: MemoryDesc,
}

// SAFETY: a primitive descriptor is never changed after it was made and has no thread affinity.
unsafe impl Send for Raw {}
// SAFETY: as above, every use is a read.
unsafe impl Sync for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: owned by this value and destroyed once.
        unsafe { (self.library.functions.primitive_desc_destroy)(self.ptr.as_ptr()) };
    }
}

/// What a C constructor needs besides its own arguments.
pub(crate) struct Context<'a> {
    /// The table of functions.
    pub f: &'a sys::Functions,
    /// The CPU engine.
    pub engine: *mut sys::Engine,
    /// The built attribute.
    pub attr: *const sys::PrimitiveAttr,
    /// Where the constructor stores the new descriptor.
    pub out: *mut *mut sys::PrimitiveDesc,
}

impl PrimitiveDesc {
    /// Calls a C constructor on this thread, set to the number of OpenMP threads that
    /// [`with_threads`](crate::with_threads) says. `tensors` are named for the error message.
    pub(crate) fn create(
        call: &'static str,
        tensors: &[(&str, Option<&MemoryDesc>)],
        attr: &Attr,
        make: impl FnOnce(Context<'_>) -> i32,
    ) -> Result<PrimitiveDesc, Error> {
        let library = Library::get()?;
        let threads = team::threads();
        library.enter(threads);
        let raw_attr = attr.build(library)?;
        let mut ptr = std::ptr::null_mut();
        let context = Context {
            f: &library.functions,
            engine: library.engine,
            attr: raw_attr.ptr,
            out: &mut ptr,
        };
        let status = make(context);
        let detail = || describe(tensors, attr);
        check(status, call, detail)?;
        let ptr =
            NonNull::new(ptr).ok_or_else(|| Error::Unimplemented { call, detail: detail() })?;
        let empty = MemoryDesc::empty()?;
        Ok(PrimitiveDesc { raw: Arc::new(Raw { library, ptr, call, threads, empty }) })
    }

    /// Makes this thread ready to compile or run it.
    pub(crate) fn enter(&self) {
        self.raw.library.enter(self.raw.threads);
    }

    /// Source `i`.
    pub fn src_md(&self, i: usize) -> MemoryDesc {
        self.md(c::QUERY_SRC_MD, i as i32)
    }

    /// Weights `i`; of a convolution, inner product or matmul, 0 are the weights and 1 the bias.
    pub fn weights_md(&self, i: usize) -> MemoryDesc {
        self.md(c::QUERY_WEIGHTS_MD, i as i32)
    }

    /// Bias of a convolution, inner product or matmul.
    pub fn bias_md(&self) -> MemoryDesc {
        self.weights_md(1)
    }

    /// Destination `i`; of a batch or layer normalization that computes statistics, 1 is the mean
    /// and 2 the variance.
    pub fn dst_md(&self, i: usize) -> MemoryDesc {
        self.md(c::QUERY_DST_MD, i as i32)
    }

    /// Gradient of the source.
    pub fn diff_src_md(&self) -> MemoryDesc {
        self.md(c::QUERY_DIFF_SRC_MD, 0)
    }

    /// Gradient of weights `i`, numbered like [`weights_md`](Self::weights_md).
    pub fn diff_weights_md(&self, i: usize) -> MemoryDesc {
        self.md(c::QUERY_DIFF_WEIGHTS_MD, i as i32)
    }

    /// Gradient of the bias.
    pub fn diff_bias_md(&self) -> MemoryDesc {
        self.diff_weights_md(1)
    }

    /// Gradient of the destination.
    pub fn diff_dst_md(&self) -> MemoryDesc {
        self.md(c::QUERY_DIFF_DST_MD, 0)
    }

    /// What forward keeps for backward.
    pub fn workspace_md(&self) -> MemoryDesc {
        self.md(c::QUERY_WORKSPACE_MD, 0)
    }

    /// Scratch memory of one execution.
    pub fn scratchpad_md(&self) -> MemoryDesc {
        self.md(c::QUERY_SCRATCHPAD_MD, 0)
    }

    /// The tensor that is bound as this [`arg`](crate::arg).
    pub fn exec_arg_md(&self, arg: i32) -> MemoryDesc {
        self.md(c::QUERY_EXEC_ARG_MD, arg)
    }

    /// Number of arguments that the primitive reads; zero if oneDNN does not say.
    pub(crate) fn inputs(&self) -> i32 {
        let mut count = 0i32;
        // SAFETY: the descriptor is alive; this query stores a C int.
        unsafe {
            (self.raw.library.functions.primitive_desc_query)(
                self.as_ptr(),
                c::QUERY_NUM_OF_INPUTS_S32,
                0,
                (&raw mut count).cast(),
            )
        };
        count
    }

    /// Name of the implementation, such as `brgconv:avx512_core`.
    pub fn info(&self) -> String {
        let mut text: *const c_char = null();
        // SAFETY: the descriptor is alive; this query stores the address of a C string.
        let status = unsafe {
            (self.raw.library.functions.primitive_desc_query)(
                self.as_ptr(),
                c::QUERY_IMPL_INFO_STR,
                0,
                (&raw mut text).cast(),
            )
        };
        if status != c::SUCCESS || text.is_null() {
            return "unknown".to_string();
        }
        // SAFETY: the string belongs to the descriptor, which is alive.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    pub(crate) fn as_ptr(&self) -> *const sys::PrimitiveDesc {
        self.raw.ptr.as_ptr()
    }

    /// The address for use as the hint of the constructor `call`, if this was made by `forward`:
    /// oneDNN itself would take the descriptor of any other operation for one of its own.
    pub(crate) fn as_hint(
        &self,
        call: &'static str,
        forward: &'static str,
    ) -> Result<*const sys::PrimitiveDesc, Error> {
        if self.raw.call == forward {
            return Ok(self.as_ptr());
        }
        Err(Error::Hint { call, expected: forward, got: self.raw.call })
    }

    pub(crate) fn library(&self) -> &'static Library {
        self.raw.library
    }

    fn md(&self, what: i32, index: i32) -> MemoryDesc {
        let query = self.raw.library.functions.primitive_desc_query_md;
        // SAFETY: the descriptor is alive; the answer is null or lives as long as it.
        let copy = unsafe { MemoryDesc::copy_of(query(self.as_ptr(), what, index)) };
        copy.unwrap_or_else(|_| self.raw.empty.clone())
    }
}

impl fmt::Debug for PrimitiveDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrimitiveDesc({})", self.info())
    }
}

fn describe(tensors: &[(&str, Option<&MemoryDesc>)], attr: &Attr) -> String {
    let mut parts: Vec<String> =
        tensors.iter().filter_map(|(name, md)| md.map(|md| format!("{name} {md}"))).collect();
    if !attr.is_empty() {
        parts.push(format!("{attr:?}"));
    }
    parts.join(", ")
}

/// The address of an optional descriptor; null for none.
pub(crate) fn optional(md: Option<&MemoryDesc>) -> *const sys::MemoryDesc {
    md.map_or(null(), MemoryDesc::as_ptr)
}
