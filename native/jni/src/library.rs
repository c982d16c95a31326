//! `firesteel.jni.NativeLibrary` and `firesteel.jni.NativeHandle`: start, version, release.

use crate::convert::text;
use crate::guard::guard;
use crate::handle::remove;
use jni::objects::{JClass, JString};
use jni::sys::jlong;
use jni::{EnvUnowned, jni_mangle};
use std::path::Path;

/// Version of this library, for comparison with the jar's.
#[jni_mangle("firesteel.jni.NativeLibrary")]
pub fn version0<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JString<'local> {
    guard(env, |env| Ok(env.new_string(env!("CARGO_PKG_VERSION"))?))
}

/// Opens oneDNN at this path; returns what will compute.
#[jni_mangle("firesteel.jni.NativeLibrary")]
pub fn initialize0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    path: JString<'local>,
) -> JString<'local> {
    guard(env, |env| {
        let path = text(env, &path)?;
        Ok(env.new_string(start(Path::new(&path)))?)
    })
}

fn start(path: &Path) -> String {
    match onednn::load(path) {
        Ok(version) => format!("oneDNN {version} {}", onednn::effective_isa()),
        Err(error) => format!("plain kernels: {error}"),
    }
}

/// Releases any native object.
#[jni_mangle("firesteel.jni.NativeHandle")]
pub fn free0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    guard(env, |_| remove(handle))
}
