//! The one way into native code: errors and panics become Java exceptions.

use crate::exceptions::{Class, Error};
use jni::errors::ErrorPolicy;
use jni::strings::JNIString;
use jni::{Env, EnvUnowned};
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// Text of the last panic of this thread, with its backtrace; taken when it is thrown.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs the body of an export; on an error or a panic, throws and returns zero or null.
pub fn guard<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Error>,
) -> T {
    record_panics();
    env.with_env(body).resolve::<Throw>()
}

/// As [`guard`], for calls that may run primitives: oneDNN gets its one thread first.
pub fn guard_compute<'local, T: Default>(
    env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Error>,
) -> T {
    guard(env, |env| {
        onednn::enter();
        body(env)
    })
}

/// Keeps the backtrace of a panic, which is lost once it is caught.
fn record_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = format!("{info}\n{}", Backtrace::force_capture());
            PANIC.with(|panic| *panic.borrow_mut() = Some(text));
        }));
    });
}

/// Throws the exception that the table of [`crate::exceptions`] names.
struct Throw;

impl<T: Default> ErrorPolicy<T, Error> for Throw {
    type Captures<'local: 'call, 'call> = ();

    fn on_error<'local: 'call, 'call>(
        env: &mut Env<'local>,
        _: &mut (),
        error: Error,
    ) -> jni::errors::Result<T> {
        throw(env, error.class(), &error.to_string());
        Ok(T::default())
    }

    fn on_panic<'local: 'call, 'call>(
        env: &mut Env<'local>,
        _: &mut (),
        payload: Box<dyn Any + Send>,
    ) -> jni::errors::Result<T> {
        throw(env, Class::Native, &panic_text(payload.as_ref()));
        Ok(T::default())
    }
}

fn throw(env: &mut Env<'_>, class: Class, message: &str) {
    if env.exception_check() {
        return;
    }
    // FindClass looks in the class loader of the calling Java class, which knows our exceptions.
    let thrown = env
        .find_class(class.name())
        .and_then(|class| env.throw_new(class, JNIString::new(message)));
    // Throwing is reported as an error too; only a missing exception is one.
    if thrown.is_err() && !env.exception_check() {
        env.fatal_error(jni::jni_str!("firesteel: an exception could not be thrown"));
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let recorded = PANIC.with(|panic| panic.borrow_mut().take());
    let text = recorded
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "of unknown kind".to_string());
    format!("native panic: {text}\nThis is a bug of firesteel, please report it with this text.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_message_and_place() {
        record_panics();
        let payload = std::panic::catch_unwind(|| panic!("row {}", 7)).unwrap_err();
        let text = panic_text(payload.as_ref());
        assert!(text.contains("row 7") && text.contains("guard.rs"), "{text}");
        let text = panic_text(payload.as_ref());
        assert!(text.starts_with("native panic: row 7"), "{text}");
    }
}
