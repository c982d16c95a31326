//! Aligned native memory: owned, shared between the steps of a plan, and lent to kernels.

use crate::{DType, Error, View, ViewMut};
use memmap2::MmapMut;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Alignment in bytes: one cache line, one AVX-512 register.
pub const ALIGNMENT: usize = 64;

/// From this size on a buffer is a mapping of its own: in huge pages where the system has them, so
/// that kernels that stride through it miss the TLB less, and taking no memory before it is touched.
const MAPPED: usize = 4 << 20;

/// Bytes alive in all buffers of this process; lives as long as the process because it counts for
/// all of it.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// Zeroed memory of fixed size, aligned to 64 bytes and freed on drop.
///
/// A buffer that is shared (`Arc<Buffer>`) is written through [`SharedSlice`]s. Who may write
/// when is the protocol of their owner: a plan's memory is reachable only through its workspace,
/// which runs on `&mut self`; weights are not written while a job reads them.
pub struct Buffer {
    ptr: NonNull<u8>,
    bytes: usize,
    /// Where a large buffer's memory comes from; a small one's is on the heap.
    mapping: Option<MmapMut>,
}

// SAFETY: a Buffer owns its memory and has no thread affinity.
unsafe impl Send for Buffer {}
// SAFETY: shared references only read; writes go through SharedSlice under its owner's protocol.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Zeroed memory of `bytes` bytes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the operating system refuses.
    pub fn new(bytes: usize) -> Result<Buffer, Error> {
        let layout = layout(bytes)?;
        let mut mapping = if bytes < MAPPED { None } else { Some(map(layout.size())?) };
        let ptr = match &mut mapping {
            Some(mapping) => mapping.as_mut_ptr(),
            // SAFETY: the layout's size is at least one alignment unit, never zero.
            None => unsafe { alloc_zeroed(layout) },
        };
        let ptr = NonNull::new(ptr).ok_or(Error::OutOfMemory { bytes })?;
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        Ok(Buffer { ptr, bytes, mapping })
    }

    /// Copy of these numbers.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the operating system refuses.
    pub fn from_f32(values: &[f32]) -> Result<Buffer, Error> {
        let mut buffer = Buffer::new(size_of_val(values))?;
        buffer.f32_mut().copy_from_slice(values);
        Ok(buffer)
    }

    /// Copy of these elements.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the operating system refuses.
    pub fn from_view(elements: View<'_>) -> Result<Buffer, Error> {
        let bytes = elements.bytes();
        let buffer = Buffer::new(bytes.len())?;
        // SAFETY: as many bytes as were allocated, and nobody else has the buffer yet.
        unsafe { std::slice::from_raw_parts_mut(buffer.ptr(), bytes.len()) }.copy_from_slice(bytes);
        Ok(buffer)
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Address of the first byte.
    pub fn ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }

    /// The content as f32; a tail of less than 4 bytes is left out.
    pub fn f32(&self) -> &[f32] {
        // SAFETY: aligned, initialised (zeroed at birth), alive as long as self.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr().cast(), self.bytes / 4) }
    }

    /// The content as f32, writable.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        // SAFETY: as f32, and &mut self makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr().cast(), self.bytes / 4) }
    }

    /// Bytes alive in all buffers of this process.
    pub fn allocated() -> usize {
        ALLOCATED.load(Ordering::Relaxed)
    }
}

/// Zeroed memory, aligned to a page.
fn map(bytes: usize) -> Result<MmapMut, Error> {
    let mapping = MmapMut::map_anon(bytes).map_err(|_| Error::OutOfMemory { bytes })?;
    #[cfg(target_os = "linux")]
    // Advice: where it is not taken, pages are small.
    let _ = mapping.advise(memmap2::Advice::HugePage);
    Ok(mapping)
}

fn layout(bytes: usize) -> Result<Layout, Error> {
    let size = bytes.max(1).checked_next_multiple_of(ALIGNMENT);
    size.and_then(|size| Layout::from_size_align(size, ALIGNMENT).ok())
        .ok_or(Error::OutOfMemory { bytes })
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Ok(layout) = layout(self.bytes) {
            ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
            if self.mapping.is_none() {
                // SAFETY: allocated in `new` with this very layout.
                unsafe { dealloc(self.ptr.as_ptr(), layout) }
            }
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.bytes)
    }
}

/// A range of a shared [`Buffer`]; keeps the buffer alive.
#[derive(Clone, Debug)]
pub struct SharedSlice {
    buffer: Arc<Buffer>,
    offset: usize,
    bytes: usize,
}

impl SharedSlice {
    /// The range `offset .. offset + bytes` of `buffer`, in bytes; `offset` divides by 4.
    ///
    /// # Errors
    /// [`Error::Range`] if it leaves the buffer.
    pub fn new(buffer: &Arc<Buffer>, offset: usize, bytes: usize) -> Result<SharedSlice, Error> {
        let end = offset.saturating_add(bytes);
        if end > buffer.bytes || !offset.is_multiple_of(4) {
            return Err(Error::Range { offset, end, bytes: buffer.bytes });
        }
        Ok(SharedSlice { buffer: buffer.clone(), offset, bytes })
    }

    /// The buffer.
    pub fn buffer(&self) -> &Arc<Buffer> {
        &self.buffer
    }

    /// Address of the first byte.
    pub fn ptr(&self) -> *mut u8 {
        self.buffer.ptr().wrapping_add(self.offset)
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The content as f32.
    pub fn f32(&self) -> &[f32] {
        // SAFETY: inside the buffer (checked in `new`), 4-byte aligned, initialised; the buffer's
        // owner does not run a step that writes it while it lends it out (see `Buffer`).
        unsafe { std::slice::from_raw_parts(self.ptr().cast(), self.bytes / 4) }
    }

    /// The content as f32, writable.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        // SAFETY: as `f32`; the owner lends a range to one writer at a time.
        unsafe { std::slice::from_raw_parts_mut(self.ptr().cast(), self.bytes / 4) }
    }

    /// The content as elements of a type, row-major.
    ///
    /// # Errors
    /// [`Error::Memory`] if it holds none of this type.
    pub fn view(&self, dtype: DType) -> Result<View<'_>, Error> {
        // SAFETY: as `f32`; bytes need no alignment.
        View::new(dtype, unsafe { std::slice::from_raw_parts(self.ptr(), self.bytes) })
    }

    /// The content as elements of a type, writable.
    ///
    /// # Errors
    /// [`Error::Memory`] if it holds none of this type.
    pub fn view_mut(&mut self, dtype: DType) -> Result<ViewMut<'_>, Error> {
        // SAFETY: as `f32_mut`; bytes need no alignment.
        ViewMut::new(dtype, unsafe { std::slice::from_raw_parts_mut(self.ptr(), self.bytes) })
    }

    fn overlaps(&self, other: &SharedSlice) -> bool {
        let (a, b) = (self.ptr() as usize, other.ptr() as usize);
        self.bytes > 0 && other.bytes > 0 && a < b + other.bytes && b < a + self.bytes
    }
}

/// The operands of one kernel: destinations share no byte with any other operand.
#[derive(Debug)]
pub struct Operands {
    src: Vec<SharedSlice>,
    dst: Vec<SharedSlice>,
}

/// Up to this many sources, and destinations, a step runs without allocating.
const INLINE: usize = 32;

impl Operands {
    /// Operands of a step.
    ///
    /// # Errors
    /// [`Error::Overlap`] if a destination shares bytes with another operand.
    pub fn new(src: Vec<SharedSlice>, dst: Vec<SharedSlice>) -> Result<Operands, Error> {
        for (index, d) in dst.iter().enumerate() {
            if src.iter().chain(&dst[..index]).any(|other| d.overlaps(other)) {
                return Err(Error::Overlap { index });
            }
        }
        Ok(Operands { src, dst })
    }

    /// Puts another range in the place of operand `index`, counted over sources, then
    /// destinations.
    ///
    /// # Errors
    /// [`Error::Overlap`] if a destination would share bytes with another operand.
    pub fn replace(&mut self, index: usize, slice: SharedSlice) -> Result<(), Error> {
        let sources = self.src.len();
        let clash = |others: &[SharedSlice], skip: usize| {
            others.iter().enumerate().any(|(i, o)| i != skip && o.overlaps(&slice))
        };
        if index < sources {
            if clash(&self.dst, usize::MAX) {
                return Err(Error::Overlap { index });
            }
            self.src[index] = slice;
        } else {
            let index = index - sources;
            if clash(&self.src, usize::MAX) || clash(&self.dst, index) {
                return Err(Error::Overlap { index });
            }
            self.dst[index] = slice;
        }
        Ok(())
    }

    /// Runs `f` on the operands as f32; allocates nothing for up to 32 sources and destinations.
    pub fn with<R>(&mut self, f: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> R) -> R {
        let Operands { src, dst } = self;
        collected(src.iter().map(SharedSlice::f32), |src| {
            collected(dst.iter_mut().map(SharedSlice::f32_mut), |dst| f(src, dst))
        })
    }

    /// Runs `f` on the operands as elements of these types, sources first; allocates nothing for up
    /// to 32 sources and destinations.
    ///
    /// # Errors
    /// [`Error::Memory`] if an operand holds no elements of its type.
    pub fn with_views<R>(
        &mut self,
        dtypes: &[DType],
        f: impl FnOnce(&[View<'_>], &mut [ViewMut<'_>]) -> R,
    ) -> Result<R, Error> {
        let Operands { src, dst } = self;
        let (src_types, dst_types) = dtypes.split_at(src.len());
        let failed = Cell::new(None);
        let note = |error| failed.set(Some(error));
        let read = src.iter().zip(src_types);
        collected(read.map(|(s, &dtype)| s.view(dtype).map_err(note).unwrap_or_default()), |src| {
            let write = dst.iter_mut().zip(dst_types);
            let write = write.map(|(d, &t)| d.view_mut(t).map_err(note).unwrap_or_default());
            collected(write, |dst| match failed.take() {
                Some(error) => Err(error),
                None => Ok(f(src, dst)),
            })
        })
    }

    /// Runs `f` on each of `parts` parts of the `pieces` pieces of equal size that each destination
    /// is made of: with the numbers of the part's pieces, the whole sources, and the part of each
    /// destination. `team` calls what it is given on any number of threads at once, and waits for
    /// them.
    ///
    /// # Errors
    /// [`Error::Memory`] if an operand holds no elements of its type, or a destination not so many
    /// pieces; then the error of the first part that `f` failed on.
    pub fn in_parts<E: Send>(
        &mut self,
        dtypes: &[DType],
        [pieces, parts]: [usize; 2],
        team: impl FnOnce(&(dyn Fn() + Sync)),
        f: impl Fn(Range<usize>, &[View<'_>], &mut [ViewMut<'_>]) -> Result<(), E> + Sync,
    ) -> Result<Result<(), E>, Error> {
        let Operands { src, dst } = &*self;
        let (src_types, dst_types) = dtypes.split_at(src.len());
        for (d, &dtype) in dst.iter().zip(dst_types) {
            if !(d.bytes / dtype.size()).is_multiple_of(pieces.max(1)) {
                return Err(Error::Memory { dtype, bytes: d.bytes });
            }
        }
        let run = |part: usize| {
            let range = part * pieces / parts..(part + 1) * pieces / parts;
            let failed = Cell::new(None);
            let note = |error| failed.set(Some(error));
            let read = src.iter().zip(src_types);
            let read = read.map(|(s, &dtype)| s.view(dtype).map_err(note).unwrap_or_default());
            collected(read, |src| {
                let write = dst.iter().zip(dst_types).map(|(d, &dtype)| {
                    let piece = d.bytes / pieces;
                    let (from, bytes) = (range.start * piece, range.len() * piece);
                    // SAFETY: inside the slice, as above; each part is run once, parts share no
                    // byte, and `&mut self` keeps everybody else from the destinations.
                    let bytes = unsafe { std::slice::from_raw_parts_mut(d.ptr().add(from), bytes) };
                    ViewMut::new(dtype, bytes).map_err(note).unwrap_or_default()
                });
                collected(write, |dst| match failed.take() {
                    Some(error) => Err(error),
                    None => Ok(f(range.clone(), src, dst)),
                })
            })
        };
        let (next, failed) = (AtomicUsize::new(0), Mutex::new((parts, Ok(Ok(())))));
        let work = || {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return;
                }
                let made = run(part);
                if !matches!(made, Ok(Ok(()))) {
                    let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if part < first.0 {
                        *first = (part, made);
                    }
                }
            }
        };
        team(&work);
        work();
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// Runs `f` on the items; allocates nothing for up to [`INLINE`] of them.
fn collected<T: Default, R>(
    mut items: impl ExactSizeIterator<Item = T>,
    f: impl FnOnce(&mut [T]) -> R,
) -> R {
    let count = items.len();
    if count > INLINE {
        return f(&mut items.collect::<Vec<T>>());
    }
    let mut inline: [T; INLINE] = std::array::from_fn(|_| items.next().unwrap_or_default());
    f(&mut inline[..count])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_zeroed_and_aligned() {
        let buffer = Buffer::new(100).unwrap();
        assert_eq!(buffer.ptr() as usize % ALIGNMENT, 0);
        assert!(buffer.f32().iter().all(|&v| v == 0.0));
    }

    #[test]
    fn a_large_buffer_is_zeroed_and_writable_to_its_end() {
        let mut buffer = Buffer::new(MAPPED + 4).unwrap();
        assert_eq!(buffer.ptr() as usize % ALIGNMENT, 0);
        let last = buffer.f32().len() - 1;
        assert_eq!(buffer.f32()[last], 0.0);
        buffer.f32_mut()[last] = 1.0;
        assert_eq!(buffer.f32()[last], 1.0);
    }

    #[test]
    fn a_range_outside_the_buffer_is_refused() {
        let buffer = Arc::new(Buffer::new(64).unwrap());
        assert!(SharedSlice::new(&buffer, 32, 33).is_err());
        assert!(SharedSlice::new(&buffer, usize::MAX, 4).is_err());
    }

    #[test]
    fn a_destination_that_overlaps_a_source_is_refused() {
        let buffer = Arc::new(Buffer::new(64).unwrap());
        let part = |o, n| SharedSlice::new(&buffer, o, n).unwrap();
        assert!(Operands::new(vec![part(0, 32)], vec![part(28, 8)]).is_err());
        let mut operands = Operands::new(vec![part(0, 32)], vec![part(32, 32)]).unwrap();
        operands.with(|_, dst| dst[0].fill(1.0));
        assert_eq!(buffer.f32()[8..], [1.0; 8]);
    }

    #[test]
    fn memory_is_read_and_written_under_the_types_of_its_elements() {
        let buffer = Arc::new(Buffer::from_view(View::I64(&[5, -7])).unwrap());
        let table = SharedSlice::new(&buffer, 0, 16).unwrap();
        assert_eq!(table.view(DType::I64).unwrap(), View::I64(&[5, -7]));
        let flags = Arc::new(Buffer::from_view(View::U8(&[7; 64])).unwrap());
        let flags = SharedSlice::new(&flags, 0, 2).unwrap();
        assert!(flags.view(DType::Bool).is_err(), "7 is no truth value");
        let mut operands = Operands::new(vec![table], vec![flags]).unwrap();
        let dtypes = [DType::I64, DType::Bool];
        let sign = |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let pairs = dst[0].get::<bool>()?.iter_mut().zip(src[0].get::<i64>()?);
            pairs.for_each(|(flag, x)| *flag = *x < 0);
            Ok::<(), Error>(())
        };
        operands.with_views(&dtypes, sign).unwrap().unwrap();
        let sources = |dtype| operands_of(&buffer, 40).with_views(&[dtype; 41], |src, _| src.len());
        assert_eq!(sources(DType::I64).unwrap(), 40);
    }

    fn operands_of(buffer: &Arc<Buffer>, sources: usize) -> Operands {
        let src = vec![SharedSlice::new(buffer, 0, 8).unwrap(); sources];
        Operands::new(src, vec![SharedSlice::new(buffer, 8, 8).unwrap()]).unwrap()
    }

    #[test]
    fn an_impossible_size_is_an_error_not_an_abort() {
        assert!(matches!(Buffer::new(usize::MAX), Err(Error::OutOfMemory { .. })));
    }
}
