//! Checked names of native objects: what Java holds instead of an address.
//!
//! A handle is an index into one table, the generation of that entry, and the object's type. A
//! stale, forged or mistyped handle is an error. Every use takes a share of the object, so that
//! closing it in another thread releases it only after the call.

use crate::exceptions::Error;
use jni::sys::jlong;
use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock};

/// Types of objects, as they stand in a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// [`crate::buffer::NativeBuffer`].
    Buffer = 1,
    /// [`crate::model::NativeModel`].
    Model,
    /// [`crate::dataset::NativeDataset`].
    Dataset,
    /// [`crate::worker::NativeWorker`].
    Worker,
    /// [`crate::optimizer::NativeOptimizer`].
    Optimizer,
    /// [`crate::predictor::NativePredictor`].
    Predictor,
}

/// An object that Java may hold.
pub trait Managed: Any + Send + Sync {
    /// Its type in a handle.
    const KIND: Kind;
    /// Name of the Java class, for messages.
    const NAME: &'static str;
}

const GENERATIONS: u32 = 1 << 24;

struct Entry {
    generation: u32,
    object: Option<Arc<dyn Any + Send + Sync>>,
}

struct Table {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

/// All objects that Java holds; as long-lived as the library, because handles are.
static TABLE: RwLock<Table> = RwLock::new(Table { entries: Vec::new(), free: Vec::new() });

/// Gives an object to Java.
pub fn insert<T: Managed>(object: T) -> jlong {
    insert_shared(Arc::new(object))
}

/// Gives Java a share of an object that something else knows too.
pub fn insert_shared<T: Managed>(object: Arc<T>) -> jlong {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let index = table.free.pop().unwrap_or_else(|| {
        table.entries.push(Entry { generation: 0, object: None });
        table.entries.len() as u32 - 1
    });
    let entry = &mut table.entries[index as usize];
    entry.object = Some(object);
    i64::from(T::KIND as u8) << 56 | i64::from(entry.generation) << 32 | i64::from(index)
}

/// A share of the object that `handle` names.
///
/// # Errors
/// [`Error::State`] if it was closed, [`Error::Argument`] if it is of another type.
pub fn get<T: Managed>(handle: jlong) -> Result<Arc<T>, Error> {
    let (kind, generation, index) = decode(handle);
    if kind != T::KIND as u8 {
        return Err(Error::Argument {
            who: T::NAME,
            expected: format!("a handle of kind {}", T::KIND as u8),
            got: format!("one of kind {kind}"),
            remedy: "Pass an object of this class",
        });
    }
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let entry = table.entries.get(index).filter(|entry| entry.generation == generation);
    let object = entry.and_then(|entry| entry.object.clone()).ok_or_else(|| closed(T::NAME))?;
    object.downcast().map_err(|_| closed(T::NAME))
}

/// Takes an object back from Java; it is released with its last use.
///
/// # Errors
/// [`Error::State`] if it was closed before.
pub fn remove(handle: jlong) -> Result<(), Error> {
    let (_, generation, index) = decode(handle);
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let entry = table.entries.get_mut(index).filter(|entry| entry.generation == generation);
    let entry = entry.ok_or_else(|| closed("NativeHandle"))?;
    let object = entry.object.take().ok_or_else(|| closed("NativeHandle"))?;
    entry.generation += 1;
    // An entry whose generations are used up is never used again: no handle ever comes back.
    if entry.generation < GENERATIONS {
        table.free.push(index as u32);
    }
    // Objects are released outside the lock: that may take long.
    drop(table);
    drop(object);
    Ok(())
}

fn decode(handle: jlong) -> (u8, u32, usize) {
    let generation = (handle >> 32) as u32 & (GENERATIONS - 1);
    ((handle >> 56) as u8, generation, handle as u32 as usize)
}

fn closed(who: &'static str) -> Error {
    Error::State {
        who,
        expected: "an open object",
        got: "a closed one",
        remedy: "Close it after its last use",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exceptions::Class;

    struct Number(u32);

    impl Managed for Number {
        const KIND: Kind = Kind::Buffer;
        const NAME: &'static str = "Number";
    }

    #[derive(Debug)]
    struct Other;

    impl Managed for Other {
        const KIND: Kind = Kind::Model;
        const NAME: &'static str = "Other";
    }

    #[test]
    fn a_closed_handle_stays_closed_when_its_entry_is_used_again() {
        let first = insert(Number(1));
        assert_eq!(get::<Number>(first).unwrap().0, 1);
        remove(first).unwrap();
        let second = insert(Number(2));
        assert_ne!(first, second);
        assert_eq!(get::<Number>(first).err().unwrap().class(), Class::State);
        assert_eq!(remove(first).unwrap_err().class(), Class::State);
        assert_eq!(get::<Number>(second).unwrap().0, 2);
        remove(second).unwrap();
    }

    #[test]
    fn a_handle_of_another_type_or_a_forged_one_is_refused() {
        let handle = insert(Number(1));
        assert_eq!(get::<Other>(handle).unwrap_err().class(), Class::Argument);
        for forged in [0, -1, i64::MIN, i64::MAX, handle + (1 << 32), handle + 1_000_000] {
            assert!(get::<Number>(forged).is_err(), "{forged:x}");
        }
        remove(handle).unwrap();
    }

    #[test]
    fn an_object_in_use_outlives_its_close() {
        let handle = insert(Number(5));
        let used = get::<Number>(handle).unwrap();
        remove(handle).unwrap();
        assert_eq!(used.0, 5);
    }

    #[test]
    fn closing_in_many_threads_succeeds_once() {
        for _ in 0..100 {
            let handle = insert(Number(1));
            let closed: usize = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| remove(handle).is_ok() as usize)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(closed, 1);
        }
    }
}
