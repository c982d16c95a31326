//! Compiled code.

use crate::error::check;
use crate::{Error, PrimitiveDesc};
use onednn_sys as sys;
use std::fmt;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// A compiled operation. Cheap to clone; any number of threads may run it at once, each through
/// its own [`Bound`](crate::Bound).
#[derive(Clone)]
pub struct Primitive {
    raw: Arc<Raw>,
}

struct Raw {
    ptr: NonNull<sys::Primitive>,
    desc: PrimitiveDesc,
}

// SAFETY: a primitive is immutable; with the caller's scratchpad its execution has no state.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: owned by this value and destroyed once.
        unsafe { (self.desc.library().functions.primitive_destroy)(self.ptr.as_ptr()) };
    }
}

impl Primitive {
    /// Compiles; the second time the same description comes from oneDNN's cache.
    ///
    /// # Errors
    /// [`Error::Status`] if oneDNN is out of memory.
    pub fn new(desc: &PrimitiveDesc) -> Result<Primitive, Error> {
        let library = desc.library();
        desc.enter();
        let mut ptr = null_mut();
        // SAFETY: the out pointer is valid, the descriptor alive.
        let status = unsafe { (library.functions.primitive_create)(&mut ptr, desc.as_ptr()) };
        check(status, "primitive_create", || desc.info())?;
        let ptr = NonNull::new(ptr).ok_or_else(|| Error::Unimplemented {
            call: "primitive_create",
            detail: desc.info(),
        })?;
        Ok(Primitive { raw: Arc::new(Raw { ptr, desc: desc.clone() }) })
    }

    /// The description it was compiled from.
    pub fn desc(&self) -> &PrimitiveDesc {
        &self.raw.desc
    }

    pub(crate) fn as_ptr(&self) -> *const sys::Primitive {
        self.raw.ptr.as_ptr()
    }
}

impl fmt::Debug for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Primitive({})", self.desc().info())
    }
}
