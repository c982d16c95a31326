//! A primitive with its arguments bound to memory.

use crate::error::check;
use crate::library::Library;
use crate::{Error, MemoryDesc, Primitive, arg};
use onednn_sys::{self as sys, ExecArg, constants as c};
use std::fmt;
use std::ptr::null_mut;
use tensor::SharedSlice;

/// A primitive with its arguments bound to memory: one step of a plan.
///
/// Running it reads and writes the bound memory under the protocol of [`SharedSlice`]: whoever
/// owns the buffers sees to it that no other step that writes the same bytes runs meanwhile.
///
/// Blocked layouts may be larger than their tensor. The step that writes such memory fills the
/// padding with zeros; fresh memory needs no clearing.
pub struct Bound {
    primitive: Primitive,
    library: &'static Library,
    stream: *mut sys::Stream,
    slots: Vec<Slot>,
    /// The memory objects of the slots that exist, in the form that execution takes.
    args: Vec<ExecArg>,
    /// Slots that still lack memory.
    unset: usize,
}

struct Slot {
    arg: i32,
    bytes: usize,
    /// Position in `args`; none for an empty descriptor, which is not passed on.
    position: Option<usize>,
    /// Keeps the memory alive.
    slice: Option<SharedSlice>,
}

// SAFETY: stream and memory objects have no thread affinity and are used only through `&mut self`.
unsafe impl Send for Bound {}
// SAFETY: a shared reference offers nothing that touches stream or memory objects.
unsafe impl Sync for Bound {}

impl Bound {
    /// Binds arguments ([`arg`]) to descriptors, still without memory. Empty descriptors
    /// (a workspace or scratchpad that the primitive does not have) are accepted and left out.
    ///
    /// # Errors
    /// [`Error::Argument`] if the primitive has no such argument or wants another layout.
    pub fn new(primitive: &Primitive, args: &[(i32, &MemoryDesc)]) -> Result<Bound, Error> {
        let library = primitive.desc().library();
        let mut bound = Bound {
            primitive: primitive.clone(),
            library,
            stream: null_mut(),
            slots: Vec::with_capacity(args.len()),
            args: Vec::with_capacity(args.len()),
            unset: 0,
        };
        // SAFETY: the out pointer is valid, the engine lives as long as the process.
        let status = unsafe {
            (library.functions.stream_create)(
                &mut bound.stream,
                library.engine,
                c::STREAM_DEFAULT_FLAGS,
            )
        };
        check(status, "stream_create", String::new)?;
        for &(arg, md) in args {
            bound.add(arg, md)?;
        }
        Ok(bound)
    }

    /// Gives argument `index` (in the order of [`Bound::new`]) its memory, and keeps it alive.
    ///
    /// # Errors
    /// [`Error::TooSmall`] if the slice has fewer bytes than the descriptor, [`Error::Index`].
    pub fn set(&mut self, index: usize, slice: &SharedSlice) -> Result<(), Error> {
        let count = self.slots.len();
        let Some(slot) = self.slots.get_mut(index) else {
            return Err(Error::Index { primitive: self.primitive.desc().info(), index, count });
        };
        if slice.bytes() < slot.bytes {
            return Err(Error::TooSmall {
                primitive: self.primitive.desc().info(),
                argument: arg::name(slot.arg),
                expected: slot.bytes,
                got: slice.bytes(),
            });
        }
        let Some(position) = slot.position else { return Ok(()) };
        // SAFETY: the memory object is alive; the slice has enough bytes and is kept below, so
        // the address stays valid until it is replaced or the object destroyed.
        let status = unsafe {
            (self.library.functions.memory_set_data_handle)(
                self.args[position].memory,
                slice.ptr().cast(),
            )
        };
        check(status, "memory_set_data_handle", || arg::name(slot.arg))?;
        if slot.slice.replace(slice.clone()).is_none() {
            self.unset -= 1;
        }
        Ok(())
    }

    /// Runs the primitive on this thread; returns when the result is stored. Allocates nothing.
    ///
    /// # Errors
    /// [`Error::Unset`] if an argument has no memory; [`Error::Status`] if arguments of the
    /// primitive are missing or one is bound that this variant does not use.
    pub fn execute(&mut self) -> Result<(), Error> {
        if self.unset > 0 {
            return Err(self.first_unset());
        }
        self.primitive.desc().enter();
        // SAFETY: primitive, stream and memory objects are alive, and every memory object has an
        // address with enough bytes behind it. `enter` keeps the number of threads at the one
        // that the scratchpad was sized for.
        let status = unsafe {
            (self.library.functions.primitive_execute)(
                self.primitive.as_ptr(),
                self.stream,
                self.args.len() as i32,
                self.args.as_ptr(),
            )
        };
        check(status, "primitive_execute", || self.describe())
    }

    /// The primitive.
    pub fn primitive(&self) -> &Primitive {
        &self.primitive
    }

    fn add(&mut self, arg: i32, md: &MemoryDesc) -> Result<(), Error> {
        let mut slot = Slot { arg, bytes: md.bytes(), position: None, slice: None };
        if !md.is_empty() {
            let expected = self.primitive.desc().exec_arg_md(arg);
            if expected != *md {
                return Err(Error::Argument {
                    primitive: self.primitive.desc().info(),
                    argument: arg::name(arg),
                    expected: expected.to_string(),
                    got: md.to_string(),
                });
            }
            let mut memory = null_mut();
            // SAFETY: out pointer, descriptor and engine are valid; a null handle is allowed.
            let status = unsafe {
                (self.library.functions.memory_create)(
                    &mut memory,
                    md.as_ptr(),
                    self.library.engine,
                    null_mut(),
                )
            };
            check(status, "memory_create", || format!("{} {md}", arg::name(arg)))?;
            slot.position = Some(self.args.len());
            self.args.push(ExecArg { arg, memory });
            self.unset += 1;
        }
        self.slots.push(slot);
        Ok(())
    }

    #[cold]
    fn first_unset(&self) -> Error {
        let unset = self.slots.iter().find(|slot| slot.position.is_some() && slot.slice.is_none());
        Error::Unset {
            primitive: self.primitive.desc().info(),
            argument: unset.map_or_else(String::new, |slot| arg::name(slot.arg)),
        }
    }

    #[cold]
    fn describe(&self) -> String {
        let names: Vec<String> = self.slots.iter().map(|slot| arg::name(slot.arg)).collect();
        format!("{} with {}", self.primitive.desc().info(), names.join(", "))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        for arg in &self.args {
            // SAFETY: owned by this value and destroyed once, before the memory it points to.
            unsafe { (self.library.functions.memory_destroy)(arg.memory) };
        }
        // SAFETY: owned by this value and destroyed once; null is accepted.
        unsafe { (self.library.functions.stream_destroy)(self.stream) };
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({})", self.describe())
    }
}
