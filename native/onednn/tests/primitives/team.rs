//! Primitives and other work on several threads.

use crate::support::ready;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn work_is_done_by_as_many_threads_as_asked_for() {
    if !ready() {
        return;
    }
    for threads in [1, 2, 3] {
        let (calls, seen) = (AtomicUsize::new(0), Mutex::new(HashSet::new()));
        onednn::parallel(threads, || {
            calls.fetch_add(1, Ordering::Relaxed);
            seen.lock().unwrap().insert(std::thread::current().id());
        });
        assert_eq!((calls.into_inner(), seen.into_inner().unwrap().len()), (threads, threads));
    }
}

#[test]
fn a_panic_in_a_team_arrives_at_the_caller_and_the_next_team_works() {
    if !ready() {
        return;
    }
    let panic = std::panic::catch_unwind(|| onednn::parallel(2, || panic!("on purpose")));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
    let calls = AtomicUsize::new(0);
    onednn::parallel(2, || _ = calls.fetch_add(1, Ordering::Relaxed));
    assert_eq!(calls.into_inner(), 2);
}
