//! Opening the shared library.

use std::ffi::c_void;
use std::fmt;
use std::path::Path;

use crate::Functions;

/// Why a file could not be opened as oneDNN: the loader's own words.
#[derive(Debug)]
pub struct OpenError(String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

impl Functions {
    /// Loads the shared library at `path` (absolute, so that no search path decides) and looks
    /// every function up.
    ///
    /// The library is never closed: oneDNN has unique symbols and thread-local state that outlive
    /// any handle.
    ///
    /// # Safety
    /// The file is oneDNN v3: its initialisers run here, and later calls trust its functions to
    /// have the declarations of this crate. Check [`Functions::version`] before calling anything
    /// else.
    ///
    /// # Errors
    /// The file is missing, is no shared library of this platform, or lacks a function.
    pub unsafe fn open(path: &Path) -> Result<Functions, OpenError> {
        // SAFETY: the caller promises that the file is oneDNN, whose initialisers have no
        // preconditions.
        let library = unsafe { open_locally(path) }.map_err(OpenError::from)?;
        let library = std::mem::ManuallyDrop::new(library);
        // SAFETY: the symbols are those of the library that the caller vouches for, and it is never
        // unloaded.
        unsafe { Functions::from_symbols(|name| address(&library, name)) }
    }
}

impl From<libloading::Error> for OpenError {
    fn from(error: libloading::Error) -> OpenError {
        OpenError(error.to_string())
    }
}

/// The address of `name` in the library or in the libraries it depends on.
fn address(library: &libloading::Library, name: &str) -> Result<*mut c_void, OpenError> {
    // SAFETY: the symbol is only taken as an address here, never dereferenced as a value of another
    // type.
    let symbol = unsafe { library.get::<*mut c_void>(name.as_bytes()) }?;
    // SAFETY: as above; the raw form is the address that the loader returned.
    Ok(unsafe { symbol.into_raw() }.into_raw())
}

/// Opens with immediate binding and without offering the symbols to libraries loaded later.
#[cfg(unix)]
unsafe fn open_locally(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: passed on to the caller.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

/// Opens by the platform's default rules, which bind at once and keep symbols local.
#[cfg(not(unix))]
unsafe fn open_locally(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: passed on to the caller.
    unsafe { libloading::Library::new(path) }
}
