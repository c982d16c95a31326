//! The one loaded library of the process and its CPU engine.

use crate::Error;
use crate::error::check;
use onednn_sys::{Engine, Functions, constants as c};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Version of a loaded oneDNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major version.
    pub major: i32,
    /// Minor version.
    pub minor: i32,
    /// Patch version.
    pub patch: i32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Functions and engine; made once and never dropped, because the library is never closed.
pub(crate) struct Library {
    pub(crate) functions: Functions,
    pub(crate) engine: *mut Engine,
    version: Version,
}

// SAFETY: the functions may be called from any thread; the CPU engine has no mutable state.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

/// The process has one oneDNN: its primitive cache and settings are global too.
static LIBRARY: OnceLock<Library> = OnceLock::new();
/// Lets one thread at a time load, so that the first path wins as a whole.
static LOADING: Mutex<()> = Mutex::new(());

/// Opens oneDNN from this absolute path, once per process.
///
/// A later call with any path returns the version that is already loaded. After an error another
/// path may be tried.
///
/// # Errors
/// [`Error::Load`] if the file cannot be opened, lacks a function or was built for a threading
/// runtime other than OpenMP or none; [`Error::Version`] if it is not 3.x with x >= 2.
pub fn load(path: &Path) -> Result<Version, Error> {
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = loaded() {
        return Ok(version);
    }
    let library = open(path)?;
    let version = library.version;
    log::info!("oneDNN {version} from {}", path.display());
    let _ = LIBRARY.set(library);
    Ok(version)
}

/// Version of the loaded library, if any.
pub fn loaded() -> Option<Version> {
    LIBRARY.get().map(|library| library.version)
}

/// Sets the number of OpenMP threads of the calling thread to one; does nothing when no library is
/// loaded. Costs nanoseconds.
///
/// Everything in this crate that describes, compiles or runs a primitive sets the number of its
/// own threads by itself ([`with_threads`](crate::with_threads)).
pub fn enter() {
    if let Some(library) = LIBRARY.get() {
        library.enter(1);
    }
}

/// Instruction set that oneDNN uses here: `avx512_core_bf16`, `avx2`, … Empty when no library is
/// loaded; a set unknown to this crate appears as `isa 0x…`.
pub fn effective_isa() -> String {
    let Some(library) = LIBRARY.get() else { return String::new() };
    // SAFETY: no arguments, no preconditions.
    isa_name(unsafe { (library.functions.get_effective_cpu_isa)() })
}

/// True if oneDNN is loaded and computes in bf16 with instructions of this CPU (AVX-512 BF16 or AMX),
/// instead of emulating them.
pub fn has_bf16() -> bool {
    const AVX512_CORE_BF16: i32 = 0x80;
    LIBRARY.get().is_some_and(|library| {
        // SAFETY: no arguments, no preconditions.
        unsafe { (library.functions.get_effective_cpu_isa)() & AVX512_CORE_BF16 != 0 }
    })
}

/// Sets how many compiled primitives oneDNN keeps for reuse, at least one; the default is 1024.
/// Does nothing when no library is loaded.
///
/// Raise it when one process uses more distinct primitives than that. It is never set to zero:
/// some versions leak memory then.
pub fn set_cache_capacity(n: i32) {
    if let Some(library) = LIBRARY.get() {
        // SAFETY: any positive capacity is allowed at any time.
        unsafe { (library.functions.set_primitive_cache_capacity)(n.max(1)) };
    }
}

impl Library {
    /// The loaded library.
    pub(crate) fn get() -> Result<&'static Library, Error> {
        LIBRARY.get().ok_or(Error::NotLoaded)
    }

    /// Sets the number of OpenMP threads of the calling thread.
    pub(crate) fn enter(&self, threads: usize) {
        if let Some(set_num_threads) = self.functions.omp_set_num_threads {
            // SAFETY: the number is positive and the setting belongs to this thread.
            unsafe { set_num_threads(i32::try_from(threads.max(1)).unwrap_or(1)) }
        }
    }
}

fn open(path: &Path) -> Result<Library, Error> {
    let refuse = |reason: String| Error::Load { path: path.to_path_buf(), reason };
    if !path.is_absolute() {
        return Err(refuse("the path is not absolute".to_string()));
    }
    // SAFETY: the caller names this file as oneDNN; that it has every function is checked while
    // opening, that it is a version with these declarations just below.
    let functions = unsafe { Functions::open(path) }.map_err(|e| refuse(e.to_string()))?;
    // SAFETY: returns a pointer to a constant of the library.
    let found = unsafe { *(functions.version)() };
    let version = Version { major: found.major, minor: found.minor, patch: found.patch };
    if version.major != 3 || version.minor < 2 {
        return Err(Error::Version { path: path.to_path_buf(), found: version });
    }
    // With another threading runtime `enter` could not keep primitives on one thread.
    match (found.cpu_runtime, functions.omp_set_num_threads) {
        (c::RUNTIME_SEQ, _) | (c::RUNTIME_OMP, Some(_)) => {}
        (runtime, _) => {
            return Err(refuse(format!("built for threading runtime {runtime}, not for OpenMP")));
        }
    }
    let mut library = Library { functions, engine: std::ptr::null_mut(), version };
    library.enter(1);
    // SAFETY: the out pointer is valid; index 0 of the CPU kind always exists.
    let status = unsafe { (functions.engine_create)(&mut library.engine, c::ENGINE_KIND_CPU, 0) };
    check(status, "engine_create", || "CPU engine".to_string())?;
    Ok(library)
}

fn isa_name(isa: i32) -> String {
    let known = match isa {
        0x0 => "default",
        0x1 => "sse41",
        0x3 => "avx",
        0x7 => "avx2",
        0xf => "avx2_vnni",
        0x1f => "avx2_vnni_2",
        0x27 => "avx512_core",
        0x67 => "avx512_core_vnni",
        0xe7 => "avx512_core_bf16",
        0x1ef => "avx512_core_fp16",
        0xfef => "avx512_core_amx",
        0x1fef => "avx512_core_amx_fp16",
        0x201ff => "avx10_2_512",
        0x22fff => "avx10_2_512_amx_2",
        other => return format!("isa {other:#x}"),
    };
    known.to_string()
}
