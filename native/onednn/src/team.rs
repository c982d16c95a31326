//! The threads that share one operation: oneDNN's own, of OpenMP.

use crate::library::Library;
use std::any::Any;
use std::cell::Cell;
use std::ffi::{c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

thread_local! {
    /// Threads of the primitives that this thread describes.
    static THREADS: Cell<usize> = const { Cell::new(1) };
}

/// Runs `f`; the primitives that it describes on this thread run on `threads` threads each,
/// wherever they are run later. Without this it is one.
///
/// Results of some primitives differ in bits between numbers of threads.
pub fn with_threads<R>(threads: usize, f: impl FnOnce() -> R) -> R {
    /// Restores the number however `f` ends.
    struct Before(usize);
    impl Drop for Before {
        fn drop(&mut self) {
            THREADS.set(self.0);
        }
    }
    let _before = Before(THREADS.replace(threads.max(1)));
    f()
}

/// See [`with_threads`].
pub(crate) fn threads() -> usize {
    THREADS.get()
}

/// Calls `work` on each of `threads` threads at once, those that primitives run on, and returns
/// when all are done; on the calling thread alone where oneDNN has no OpenMP. A panic of one of
/// them continues on the calling thread.
pub fn parallel(threads: usize, work: impl Fn() + Sync) {
    let start = Library::get().ok().and_then(|library| library.functions.gomp_parallel);
    let (Some(start), true) = (start, threads > 1) else { return work() };
    let team = Team { work: &work, panic: Mutex::new(None) };
    // SAFETY: `member` is given the team, which outlives the call: it returns when all threads
    // are done with it. `Team` is shared between threads, as its fields allow.
    unsafe { start(member, (&raw const team).cast_mut().cast(), threads as c_uint, 0) };
    let panic = team.panic.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

struct Team<'w> {
    work: &'w (dyn Fn() + Sync),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// What each thread of a team calls.
extern "C" fn member(team: *mut c_void) {
    // SAFETY: `parallel` passes a team that lives until all threads have returned from here.
    let team = unsafe { &*team.cast_const().cast::<Team<'_>>() };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(team.work)) {
        *team.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
    }
}
