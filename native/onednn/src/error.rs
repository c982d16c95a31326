//! What can go wrong.

use crate::Version;
use onednn_sys::constants as c;
use std::fmt;
use std::path::PathBuf;

/// Answer of oneDNN to a call that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The library could not allocate.
    OutOfMemory,
    /// An argument is wrong or does not fit the others.
    InvalidArguments,
    /// No implementation fits.
    Unimplemented,
    /// There is no further implementation.
    LastImplReached,
    /// The primitive stopped while it ran.
    RuntimeError,
    /// The queried element is not needed.
    NotRequired,
    /// A number that is not a known status.
    Other(i32),
}

impl Status {
    /// The status of this number; `None` for success.
    pub(crate) const fn from_raw(raw: i32) -> Option<Status> {
        Some(match raw {
            c::SUCCESS => return None,
            c::OUT_OF_MEMORY => Status::OutOfMemory,
            c::INVALID_ARGUMENTS => Status::InvalidArguments,
            c::UNIMPLEMENTED => Status::Unimplemented,
            c::LAST_IMPL_REACHED => Status::LastImplReached,
            c::RUNTIME_ERROR => Status::RuntimeError,
            c::NOT_REQUIRED => Status::NotRequired,
            other => Status::Other(other),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::OutOfMemory => f.write_str("out_of_memory"),
            Status::InvalidArguments => f.write_str("invalid_arguments"),
            Status::Unimplemented => f.write_str("unimplemented"),
            Status::LastImplReached => f.write_str("last_impl_reached"),
            Status::RuntimeError => f.write_str("runtime_error"),
            Status::NotRequired => f.write_str("not_required"),
            Status::Other(raw) => write!(f, "status {raw}"),
        }
    }
}

/// Error of this crate. `call` is the C function that answered, without `dnnl_`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The file could not be opened as oneDNN.
    #[error(
        "onednn: {}: {reason}. Give the absolute path of a libdnnl.so.3 built for this platform",
        path.display()
    )]
    Load {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The file is oneDNN, but not of a version that this crate can call.
    #[error(
        "onednn: {} is oneDNN {found}, expected 3.2 or a later 3.x. Use the libdnnl.so.3 that \
         firesteel ships",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: Version,
    },
    /// Nothing was loaded yet.
    #[error("onednn: the library is not loaded. Call onednn::load first, or use plain kernels")]
    NotLoaded,
    /// A C function answered with anything but success or unimplemented.
    #[error("onednn: {call}: {status} ({detail}). {}", advice(*status))]
    Status {
        /// The C function.
        call: &'static str,
        /// Its answer.
        status: Status,
        /// The tensors or arguments it was called with.
        detail: String,
    },
    /// No implementation for this combination on this CPU.
    #[error(
        "onednn: {call}: no implementation for {detail}. Leave layouts to the primitive \
         (MemoryDesc::any), use f32, or use the plain kernel"
    )]
    Unimplemented {
        /// The C function.
        call: &'static str,
        /// The tensors it was called with.
        detail: String,
    },
    /// The hint of a backward operation is not the forward descriptor of that operation.
    #[error(
        "onednn: {call}: the hint comes from {got}, expected {expected}. Pass the descriptor that \
         forward was made from"
    )]
    Hint {
        /// The C function that was to be called.
        call: &'static str,
        /// The C function that makes the right hint.
        expected: &'static str,
        /// The C function that made this one.
        got: &'static str,
    },
    /// Lists that belong together differ in length, or a rank or size is beyond oneDNN's limits.
    #[error(
        "onednn: {what}: expected {expected}, got {got}. Pass one number per dimension, 12 at most"
    )]
    Dims {
        /// What was counted or measured.
        what: &'static str,
        /// What it should be.
        expected: usize,
        /// What it is.
        got: usize,
    },
    /// Memory is smaller than the tensor that should lie in it.
    #[error(
        "onednn: {primitive}: {argument} needs {expected} bytes, got {got}. Allocate \
         MemoryDesc::bytes() for it"
    )]
    TooSmall {
        /// Implementation name of the primitive.
        primitive: String,
        /// Name of the argument.
        argument: String,
        /// Bytes of the descriptor.
        expected: usize,
        /// Bytes of the slice.
        got: usize,
    },
    /// An argument does not exist for the primitive, or has another descriptor.
    #[error(
        "onednn: {primitive}: {argument} was bound as {got}, expected {expected}. Ask the \
         primitive descriptor for its memory descriptors"
    )]
    Argument {
        /// Implementation name of the primitive.
        primitive: String,
        /// Name of the argument.
        argument: String,
        /// Descriptor that the primitive wants.
        expected: String,
        /// Descriptor that was given.
        got: String,
    },
    /// The index of an argument is beyond the bound ones.
    #[error(
        "onednn: {primitive}: argument #{index} does not exist, {count} are bound. Use the order of \
         Bound::new"
    )]
    Index {
        /// Implementation name of the primitive.
        primitive: String,
        /// The index.
        index: usize,
        /// Number of bound arguments.
        count: usize,
    },
    /// A primitive was run before all of its arguments had memory.
    #[error(
        "onednn: {primitive}: {argument} has no memory. Call Bound::set for every argument first"
    )]
    Unset {
        /// Implementation name of the primitive.
        primitive: String,
        /// Name of the first argument without memory.
        argument: String,
    },
}

fn advice(status: Status) -> &'static str {
    match status {
        Status::OutOfMemory => "Free memory or use a smaller batch",
        Status::InvalidArguments => "Check that the shapes fit and that no argument is left over",
        _ => "Set ONEDNN_VERBOSE=all to see the reason",
    }
}

/// Turns the answer of a C function into a result; `detail` is asked for only on failure.
pub(crate) fn check(
    raw: i32,
    call: &'static str,
    detail: impl FnOnce() -> String,
) -> Result<(), Error> {
    match Status::from_raw(raw) {
        None => Ok(()),
        Some(Status::Unimplemented) => Err(Error::Unimplemented { call, detail: detail() }),
        Some(status) => Err(Error::Status { call, status, detail: detail() }),
    }
}
