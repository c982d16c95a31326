//! Shape, element type and layout of a tensor.

use crate::error::check;
use crate::library::Library;
use crate::{DataType, Error};
use onednn_sys::{self as sys, Dims, MAX_NDIMS, constants as c};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// Shape, element type and layout of a tensor. A value: cheap to clone, equal when the content is.
///
/// An *empty* descriptor (rank 0) stands for a tensor that does not exist: the workspace of a
/// primitive without one, the bias of a convolution without one. A scalar has shape `[1]`.
#[derive(Clone)]
pub struct MemoryDesc {
    raw: Arc<Raw>,
}

struct Raw(NonNull<sys::MemoryDesc>);

// SAFETY: a memory descriptor is never changed after it was made and has no thread affinity.
unsafe impl Send for Raw {}
// SAFETY: as above, every use is a read.
unsafe impl Sync for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Ok(library) = Library::get() {
            // SAFETY: owned by this value and destroyed once.
            unsafe { (library.functions.memory_desc_destroy)(self.0.as_ptr()) };
        }
    }
}

impl MemoryDesc {
    /// Row-major layout.
    ///
    /// # Errors
    /// [`Error::Dims`] for more than 12 dimensions or a size beyond `i64`, [`Error::NotLoaded`].
    pub fn plain(dims: &[usize], data_type: DataType) -> Result<MemoryDesc, Error> {
        Self::strided(dims, &row_major(dims), data_type)
    }

    /// Layout given by strides, counted in elements.
    ///
    /// # Errors
    /// [`Error::Dims`] as for [`plain`](Self::plain) or if there is not one stride per dimension;
    /// [`Error::Status`] if oneDNN rejects the strides.
    pub fn strided(
        dims: &[usize],
        strides: &[usize],
        data_type: DataType,
    ) -> Result<MemoryDesc, Error> {
        let sizes = to_dims("dimensions", dims, dims.len())?;
        let steps = to_dims("strides", strides, dims.len())?;
        Self::create(
            "memory_desc_create_with_strides",
            || format!("{data_type} {dims:?} strides {strides:?}"),
            |library, out| {
                // SAFETY: `out` is valid; both arrays have MAX_NDIMS elements, the first
                // `dims.len()` are set.
                unsafe {
                    (library.functions.memory_desc_create_with_strides)(
                        out,
                        dims.len() as i32,
                        sizes.as_ptr(),
                        data_type.raw(),
                        steps.as_ptr(),
                    )
                }
            },
        )
    }

    /// Layout left to the primitive, which then tells what it chose.
    ///
    /// # Errors
    /// As [`plain`](Self::plain).
    pub fn any(dims: &[usize], data_type: DataType) -> Result<MemoryDesc, Error> {
        let sizes = to_dims("dimensions", dims, dims.len())?;
        Self::create(
            "memory_desc_create_with_tag",
            || format!("{data_type} {dims:?} any"),
            |library, out| {
                // SAFETY: as in `strided`.
                unsafe {
                    (library.functions.memory_desc_create_with_tag)(
                        out,
                        dims.len() as i32,
                        sizes.as_ptr(),
                        data_type.raw(),
                        c::FORMAT_TAG_ANY,
                    )
                }
            },
        )
    }

    /// The empty descriptor: no tensor.
    ///
    /// # Errors
    /// [`Error::NotLoaded`].
    pub fn empty() -> Result<MemoryDesc, Error> {
        Self::plain(&[], DataType::F32)
    }

    /// Sizes, outermost first.
    pub fn dims(&self) -> Vec<usize> {
        self.query_dims(c::QUERY_DIMS)[..self.rank()].iter().map(|&d| d as usize).collect()
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.query_int(c::QUERY_NDIMS_S32) as usize
    }

    /// Element type; `None` if empty.
    pub fn data_type(&self) -> Option<DataType> {
        DataType::from_raw(self.query_int(c::QUERY_DATA_TYPE))
    }

    /// Bytes that the tensor takes, padding of blocked layouts included.
    pub fn bytes(&self) -> usize {
        // SAFETY: the descriptor is alive.
        Library::get()
            .map_or(0, |library| unsafe { (library.functions.memory_desc_get_size)(self.as_ptr()) })
    }

    /// True for the empty descriptor.
    pub fn is_empty(&self) -> bool {
        self.rank() == 0
    }

    /// True if the layout is left to the primitive.
    pub fn is_any(&self) -> bool {
        !self.is_empty() && self.query_int(c::QUERY_FORMAT_KIND) == c::FORMAT_KIND_ANY
    }

    /// True if the layout is row-major without padding.
    pub fn is_plain(&self) -> bool {
        let Some(data_type) = self.data_type() else { return false };
        Self::plain(&self.dims(), data_type).is_ok_and(|plain| plain == *self)
    }

    /// Strides in elements, outermost first; `None` if the layout has inner blocks or is not known.
    pub fn strides(&self) -> Option<Vec<usize>> {
        let strided = self.query_int(c::QUERY_FORMAT_KIND) == c::FORMAT_KIND_BLOCKED
            && self.query_int(c::QUERY_INNER_NBLKS_S32) == 0;
        let strides = self.query_dims(c::QUERY_STRIDES);
        strided.then(|| strides[..self.rank()].iter().map(|&s| s as usize).collect())
    }

    /// The same memory seen with other sizes of the same product.
    ///
    /// # Errors
    /// [`Error::Status`] if the layout does not allow it: reorder to plain first.
    pub fn reshape(&self, dims: &[usize]) -> Result<MemoryDesc, Error> {
        let sizes = to_dims("dimensions", dims, dims.len())?;
        Self::create(
            "memory_desc_reshape",
            || format!("{self} to {dims:?}"),
            |library, out| {
                // SAFETY: `out` and the descriptor are valid, the array has MAX_NDIMS elements.
                unsafe {
                    (library.functions.memory_desc_reshape)(
                        out,
                        self.as_ptr(),
                        dims.len() as i32,
                        sizes.as_ptr(),
                    )
                }
            },
        )
    }

    /// The same memory with its axes renamed: axis `i` becomes axis `permutation[i]`.
    ///
    /// # Errors
    /// [`Error::Dims`] if there is not one number per dimension, [`Error::Status`] if they are not
    /// a permutation.
    pub fn permute(&self, permutation: &[usize]) -> Result<MemoryDesc, Error> {
        let axes = to_dims("permutation", permutation, self.rank())?.map(|axis| axis as i32);
        Self::create(
            "memory_desc_permute_axes",
            || format!("{self} by {permutation:?}"),
            |library, out| {
                // SAFETY: `out` and the descriptor are valid, the array has one number per axis.
                unsafe {
                    (library.functions.memory_desc_permute_axes)(out, self.as_ptr(), axes.as_ptr())
                }
            },
        )
    }

    pub(crate) fn as_ptr(&self) -> *const sys::MemoryDesc {
        self.raw.0.as_ptr()
    }

    /// Copy of a descriptor that another object owns; null gives the empty descriptor.
    ///
    /// # Safety
    /// `existing` is null or points to a living descriptor.
    pub(crate) unsafe fn copy_of(existing: *const sys::MemoryDesc) -> Result<MemoryDesc, Error> {
        if existing.is_null() {
            return Self::empty();
        }
        Self::create("memory_desc_clone", String::new, |library, out| {
            // SAFETY: `out` is valid, the caller vouches for `existing`.
            unsafe { (library.functions.memory_desc_clone)(out, existing) }
        })
    }

    fn create(
        call: &'static str,
        detail: impl FnOnce() -> String,
        make: impl FnOnce(&Library, *mut *mut sys::MemoryDesc) -> i32,
    ) -> Result<MemoryDesc, Error> {
        let mut raw = null_mut();
        check(make(Library::get()?, &mut raw), call, detail)?;
        let raw = NonNull::new(raw).ok_or(Error::NotLoaded)?;
        Ok(MemoryDesc { raw: Arc::new(Raw(raw)) })
    }

    /// # Safety
    /// `result` points to what oneDNN writes for this query.
    unsafe fn query(&self, what: i32, result: *mut c_void) {
        if let Ok(library) = Library::get() {
            // SAFETY: the descriptor is alive, the caller vouches for `result`. A query that does
            // not apply to this descriptor leaves the result as it is.
            unsafe { (library.functions.memory_desc_query)(self.as_ptr(), what, result) };
        }
    }

    pub(crate) fn query_int(&self, what: i32) -> i32 {
        let mut result = 0i32;
        // SAFETY: the callers ask for values that are C ints or enums.
        unsafe { self.query(what, (&raw mut result).cast()) };
        result
    }

    /// Answers that are a pointer to an array inside the descriptor; zeros if there is none.
    pub(crate) fn query_dims(&self, what: i32) -> Dims {
        let mut result: *const Dims = std::ptr::null();
        // SAFETY: the callers ask for arrays of DNNL_MAX_NDIMS, answered by their address.
        unsafe { self.query(what, (&raw mut result).cast()) };
        // SAFETY: the address is null or that of an array in the descriptor, which is alive.
        unsafe { result.as_ref() }.copied().unwrap_or([0; MAX_NDIMS])
    }
}

impl PartialEq for MemoryDesc {
    fn eq(&self, other: &MemoryDesc) -> bool {
        // SAFETY: both descriptors are alive.
        Library::get().is_ok_and(|library| unsafe {
            (library.functions.memory_desc_equal)(self.as_ptr(), other.as_ptr()) != 0
        })
    }
}

/// Strides of the row-major layout; a size of zero counts as one, as in oneDNN.
fn row_major(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(dims[axis].max(1));
    }
    strides
}

/// The numbers as a `dnnl_dims_t`; there must be `rank` of them.
pub(crate) fn to_dims(what: &'static str, values: &[usize], rank: usize) -> Result<Dims, Error> {
    if values.len() != rank {
        return Err(Error::Dims { what, expected: rank, got: values.len() });
    }
    let mut dims = [0; MAX_NDIMS];
    if rank > MAX_NDIMS {
        return Err(Error::Dims { what, expected: MAX_NDIMS, got: rank });
    }
    for (dim, &value) in dims.iter_mut().zip(values) {
        *dim = i64::try_from(value).map_err(|_| Error::Dims {
            what,
            expected: i64::MAX as usize,
            got: value,
        })?;
    }
    Ok(dims)
}
