//! Handles, structs and scalar types of the C interface.

use std::ffi::{c_char, c_int, c_uint, c_void};

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Opaque: only pointers to it exist.
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )*};
}

handles! {
    /// `struct dnnl_engine`: a device, here always the CPU.
    Engine;
    /// `struct dnnl_stream`: an execution queue of an engine.
    Stream;
    /// `struct dnnl_memory_desc`: shape, data type and layout of a tensor.
    MemoryDesc;
    /// `struct dnnl_memory`: a memory descriptor with a data handle.
    Memory;
    /// `struct dnnl_primitive_attr`: scratchpad mode, post-ops and other settings of a primitive.
    PrimitiveAttr;
    /// `struct dnnl_post_ops`: what a primitive does to its result before it stores it.
    PostOps;
    /// `struct dnnl_primitive_desc`: an operation with its implementation chosen.
    PrimitiveDesc;
    /// `struct dnnl_primitive`: compiled code.
    Primitive;
}

/// `dnnl_status_t`: zero is success, the rest are in [`crate::constants`].
pub type Status = c_int;
/// `dnnl_dim_t`.
pub type Dim = i64;
/// `dnnl_dims_t`.
pub type Dims = [Dim; MAX_NDIMS];
/// `DNNL_MAX_NDIMS`: the largest rank of a tensor.
pub const MAX_NDIMS: usize = 12;

/// `dnnl_exec_arg_t`: one argument of `dnnl_primitive_execute`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ExecArg {
    /// Which argument: a `DNNL_ARG_*` value.
    pub arg: c_int,
    /// Its memory.
    pub memory: *mut Memory,
}

/// `dnnl_version_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// Major version.
    pub major: c_int,
    /// Minor version.
    pub minor: c_int,
    /// Patch version.
    pub patch: c_int,
    /// Hash of the sources, a C string or null.
    pub hash: *const c_char,
    /// Threading runtime the library was built for: a `RUNTIME_*` value.
    pub cpu_runtime: c_uint,
    /// GPU runtime the library was built for.
    pub gpu_runtime: c_uint,
}

/// A data pointer, `void *` in C.
pub type Handle = *mut c_void;
