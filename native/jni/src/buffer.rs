//! `firesteel.jni.NativeBuffer`: memory that Java and native calls share.

use crate::convert::size;
use crate::exceptions::Error;
use crate::guard::guard;
use crate::handle::{Kind, Managed, get, insert};
use jni::objects::{JByteBuffer, JClass, JString};
use jni::sys::{jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tensor::Buffer;

const WHO: &str = "NativeBuffer";

/// Memory with a list of the ranges that calls are using right now.
pub struct NativeBuffer {
    memory: Arc<Buffer>,
    leases: Mutex<Vec<(Range<usize>, Access)>>,
}

impl Managed for NativeBuffer {
    const KIND: Kind = Kind::Buffer;
    const NAME: &'static str = WHO;
}

/// How a call uses a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl NativeBuffer {
    /// A buffer over this memory.
    pub fn new(memory: Arc<Buffer>) -> NativeBuffer {
        NativeBuffer { memory, leases: Mutex::new(Vec::new()) }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Floats `range` for reading.
    ///
    /// # Errors
    /// [`Error::Argument`] if the range leaves the buffer, [`Error::State`] if a call writes there.
    pub fn read(&self, range: Range<usize>) -> Result<Lease<'_>, Error> {
        self.lease(floats(range)?, Access::Read)
    }

    /// All of the buffer for reading.
    ///
    /// # Errors
    /// [`Error::State`] if a call writes anywhere in it.
    pub fn read_all(&self) -> Result<Lease<'_>, Error> {
        self.lease(0..self.bytes(), Access::Read)
    }

    /// Floats `range` for writing.
    ///
    /// # Errors
    /// [`Error::Argument`] if the range leaves the buffer, [`Error::State`] if a call uses it.
    pub fn write(&self, range: Range<usize>) -> Result<LeaseMut<'_>, Error> {
        Ok(LeaseMut(self.lease(floats(range)?, Access::Write)?))
    }

    /// All of the buffer for writing.
    ///
    /// # Errors
    /// [`Error::State`] if a call uses any of it.
    pub fn write_all(&self) -> Result<LeaseMut<'_>, Error> {
        Ok(LeaseMut(self.lease(0..self.bytes(), Access::Write)?))
    }

    fn lease(&self, range: Range<usize>, access: Access) -> Result<Lease<'_>, Error> {
        self.check(&range)?;
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let conflicts = |(other, kind): &(Range<usize>, Access)| {
            (*kind == Access::Write || access == Access::Write)
                && other.start < range.end
                && range.start < other.end
        };
        if leases.iter().any(conflicts) {
            return Err(Error::State {
                who: WHO,
                expected: "a range that no other call is writing, or using if this one writes",
                got: "one that is in use",
                remedy: "Wait for the other call, or use another buffer",
            });
        }
        leases.push((range.clone(), access));
        Ok(Lease { buffer: self, range, access })
    }

    fn check(&self, range: &Range<usize>) -> Result<(), Error> {
        if range.start <= range.end && range.end <= self.bytes() {
            return Ok(());
        }
        Err(Error::Argument {
            who: WHO,
            expected: format!("a range within {} bytes", self.bytes()),
            got: format!("{} .. {}", range.start, range.end),
            remedy: "Correct offset and length, or allocate a larger buffer",
        })
    }

    fn copy_from(&self, to: usize, src: &NativeBuffer, from: usize, n: usize) -> Result<(), Error> {
        let (to, from) = (to..to.saturating_add(n), from..from.saturating_add(n));
        let src = src.lease(from, Access::Read)?;
        let dst = self.lease(to, Access::Write)?;
        // SAFETY: both ranges are inside their buffers, and the leases exclude that they overlap
        // (a write excludes every other use) or that another call touches them.
        unsafe { std::ptr::copy_nonoverlapping(src.ptr(), dst.ptr(), n) };
        Ok(())
    }
}

fn floats(range: Range<usize>) -> Result<Range<usize>, Error> {
    match (range.start.checked_mul(4), range.end.checked_mul(4)) {
        (Some(start), Some(end)) => Ok(start..end),
        _ => Err(Error::Argument {
            who: WHO,
            expected: "a range of an address space".to_string(),
            got: format!("floats {} .. {}", range.start, range.end),
            remedy: "Correct offset and length",
        }),
    }
}

/// The right to read a range until dropped.
pub struct Lease<'a> {
    buffer: &'a NativeBuffer,
    range: Range<usize>,
    access: Access,
}

impl Lease<'_> {
    /// The numbers of the range.
    pub fn f32(&self) -> &[f32] {
        // SAFETY: the range is inside the buffer and made of whole aligned floats (`floats`), and
        // the lease excludes a call that writes them.
        unsafe { std::slice::from_raw_parts(self.ptr().cast(), self.range.len() / 4) }
    }

    /// The bytes of the range.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the range is inside the buffer, and the lease excludes a call that writes it.
        unsafe { std::slice::from_raw_parts(self.ptr(), self.range.len()) }
    }

    /// The whole buffer; for a lease from [`NativeBuffer::read_all`].
    pub fn memory(&self) -> &Arc<Buffer> {
        &self.buffer.memory
    }

    fn ptr(&self) -> *mut u8 {
        self.buffer.memory.ptr().wrapping_add(self.range.start)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut leases = self.buffer.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let this = |lease: &(Range<usize>, Access)| *lease == (self.range.clone(), self.access);
        if let Some(index) = leases.iter().position(this) {
            leases.swap_remove(index);
        }
    }
}

/// The right to write a range until dropped; excludes every other call from it.
pub struct LeaseMut<'a>(Lease<'a>);

impl LeaseMut<'_> {
    /// The numbers of the range.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        // SAFETY: the range is inside the buffer and made of whole aligned floats (`floats`), a
        // write lease excludes all other leases of these bytes, and &mut self a second slice.
        unsafe { std::slice::from_raw_parts_mut(self.0.ptr().cast(), self.0.range.len() / 4) }
    }

    /// The bytes of the range.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the range is inside the buffer, a write lease excludes all other leases of these
        // bytes, and &mut self a second slice.
        unsafe { std::slice::from_raw_parts_mut(self.0.ptr(), self.0.range.len()) }
    }
}

/// Allocates a buffer.
#[jni_mangle("firesteel.jni.NativeBuffer")]
pub fn create0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: jlong) -> jlong {
    guard(env, |_| {
        let memory = Buffer::new(size("NativeBuffer: bytes", bytes)?)?;
        Ok(insert(NativeBuffer::new(Arc::new(memory))))
    })
}

/// A direct `ByteBuffer` over a range.
#[jni_mangle("firesteel.jni.NativeBuffer")]
pub fn slice0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    offset: jlong,
    length: jint,
) -> JByteBuffer<'local> {
    guard(env, |env| {
        let buffer = get::<NativeBuffer>(handle)?;
        let offset = size("NativeBuffer: offset", offset)?;
        let length = size("NativeBuffer: length", length)?;
        buffer.check(&(offset..offset.saturating_add(length)))?;
        // SAFETY: the range was checked; that the view is not used after close is the contract of
        // the Java method.
        Ok(unsafe { env.new_direct_byte_buffer(buffer.memory.ptr().add(offset), length)? })
    })
}

/// Copies bytes from one buffer to another.
#[jni_mangle("firesteel.jni.NativeBuffer")]
pub fn copy0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    to: jlong,
    src: jlong,
    from: jlong,
    bytes: jlong,
) {
    guard(env, |_| {
        let (dst, src) = (get::<NativeBuffer>(handle)?, get::<NativeBuffer>(src)?);
        let to = size("NativeBuffer: dstOffset", to)?;
        let from = size("NativeBuffer: srcOffset", from)?;
        dst.copy_from(to, &src, from, size("NativeBuffer: bytes", bytes)?)
    })
}

/// SHA-256 of the first numbers.
#[jni_mangle("firesteel.jni.NativeBuffer")]
pub fn hash0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    floats: jlong,
) -> JString<'local> {
    guard(env, |env| {
        let buffer = get::<NativeBuffer>(handle)?;
        let numbers = buffer.read(0..size("NativeBuffer: floats", floats)?)?;
        Ok(env.new_string(train::hash(numbers.f32()))?)
    })
}

/// Bytes alive.
#[jni_mangle("firesteel.jni.NativeBuffer")]
pub fn allocated0<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jlong {
    guard(env, |_| Ok(Buffer::allocated() as jlong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exceptions::Class;

    fn buffer(floats: usize) -> NativeBuffer {
        NativeBuffer::new(Arc::new(Buffer::new(4 * floats).unwrap()))
    }

    #[test]
    fn a_written_range_excludes_other_calls_until_it_is_given_back() {
        let buffer = buffer(10);
        let write = buffer.write(2..5).unwrap();
        assert_eq!(buffer.read(4..6).err().unwrap().class(), Class::State);
        assert_eq!(buffer.write(0..3).err().unwrap().class(), Class::State);
        assert!(buffer.read(5..10).is_ok() && buffer.write(0..2).is_ok());
        drop(write);
        assert!(buffer.read_all().is_ok());
    }

    #[test]
    fn readers_share_a_range() {
        let buffer = buffer(4);
        let readers = (buffer.read_all().unwrap(), buffer.read(0..4).unwrap());
        assert!(buffer.write(3..4).is_err());
        drop(readers.0);
        assert!(buffer.write(3..4).is_err());
        drop(readers.1);
        assert!(buffer.write(3..4).is_ok());
    }

    #[test]
    fn a_range_outside_is_an_argument() {
        let buffer = buffer(4);
        for range in [0..5, 5..5, usize::MAX / 2..usize::MAX, Range { start: 3, end: 2 }] {
            assert_eq!(buffer.read(range).err().unwrap().class(), Class::Argument);
        }
    }

    #[test]
    fn a_copy_onto_itself_is_refused_where_it_overlaps() {
        let buffer = buffer(4);
        buffer.write(0..1).unwrap().f32_mut()[0] = 7.0;
        buffer.copy_from(12, &buffer, 0, 4).unwrap();
        assert_eq!(buffer.read_all().unwrap().f32(), [7.0, 0.0, 0.0, 7.0]);
        assert!(buffer.copy_from(2, &buffer, 0, 4).is_err());
    }
}
