//! `firesteel.jni.NativeDataset`: the rows of a shard.

use crate::convert::{size, text};
use crate::exceptions::Error;
use crate::guard::guard;
use crate::handle::{Kind, Managed, get, insert};
use crate::model::NativeModel;
use jni::objects::{JByteArray, JClass, JString};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned, jni_mangle};
use std::sync::{Arc, PoisonError, RwLock};
use train::{Dataset, Loss};

const WHO: &str = "NativeDataset";

/// Rows that are appended, then sealed, then shared with workers.
pub struct NativeDataset {
    rows: RwLock<Arc<Dataset>>,
}

impl Managed for NativeDataset {
    const KIND: Kind = Kind::Dataset;
    const NAME: &'static str = WHO;
}

impl NativeDataset {
    /// A share of the rows.
    pub fn share(&self) -> Arc<Dataset> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change<R>(&self, change: impl FnOnce(&mut Dataset) -> R) -> Result<R, Error> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let rows = Arc::get_mut(&mut rows).ok_or(Error::State {
            who: WHO,
            expected: "rows that no worker uses",
            got: "rows in use",
            remedy: "Append and seal before setShard and evaluate",
        })?;
        Ok(change(rows))
    }
}

/// An empty dataset.
#[jni_mangle("firesteel.jni.NativeDataset")]
pub fn create0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    model: jlong,
    loss: JString<'local>,
) -> jlong {
    guard(env, |env| {
        let model = get::<NativeModel>(model)?;
        let record = Loss::from_json(&text(env, &loss)?)?.record(model.model())?;
        Ok(insert(NativeDataset { rows: RwLock::new(Arc::new(Dataset::new(record))) }))
    })
}

/// Appends records.
#[jni_mangle("firesteel.jni.NativeDataset")]
pub fn append0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    records: JByteArray<'local>,
    length: jint,
) {
    guard(env, |env| {
        let dataset = get::<NativeDataset>(handle)?;
        let records = bytes(env, &records, length)?;
        Ok(dataset.change(|rows| rows.append(&records))??)
    })
}

fn bytes(env: &Env<'_>, array: &JByteArray<'_>, length: jint) -> Result<Vec<u8>, Error> {
    let (length, available) = (size("NativeDataset: length", length)?, array.len(env)?);
    if length > available {
        return Err(Error::Argument {
            who: "NativeDataset: length",
            expected: format!("at most the {available} bytes of the array"),
            got: length.to_string(),
            remedy: "Correct the argument",
        });
    }
    let mut signed = vec![0i8; length];
    array.get_region(env, 0, &mut signed)?;
    Ok(signed.into_iter().map(i8::cast_unsigned).collect())
}

/// Sorts the rows and ends appending.
#[jni_mangle("firesteel.jni.NativeDataset")]
pub fn seal0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    guard(env, |_| {
        let dataset = get::<NativeDataset>(handle)?;
        if dataset.share().is_sealed() { Ok(()) } else { dataset.change(Dataset::seal) }
    })
}

/// Number of rows.
#[jni_mangle("firesteel.jni.NativeDataset")]
pub fn rows0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jlong {
    guard(env, |_| Ok(get::<NativeDataset>(handle)?.share().rows() as jlong))
}

/// Memory of the rows.
#[jni_mangle("firesteel.jni.NativeDataset")]
pub fn bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jlong {
    guard(env, |_| Ok(get::<NativeDataset>(handle)?.share().bytes() as jlong))
}
