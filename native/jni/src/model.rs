//! `firesteel.jni.NativeModel`: a network and, if it came from a file, its weights.

use crate::buffer::NativeBuffer;
use crate::convert::{array, shapes, size, text, vector};
use crate::exceptions::Error;
use crate::guard::guard;
use crate::handle::{Kind, Managed, get, insert};
use jni::objects::{JByteArray, JClass, JLongArray, JString};
use jni::sys::jlong;
use jni::{EnvUnowned, jni_mangle};
use layers::model_file::{self, ModelFile};
use layers::{Error as LayersError, Model};
use std::path::Path;
use std::sync::Arc;
use tensor::Buffer;

const WHO: &str = "NativeModel";

/// A checked definition; the weights are absent if it was only defined.
pub struct NativeModel {
    model: Arc<Model>,
    stored: Option<Buffer>,
}

impl Managed for NativeModel {
    const KIND: Kind = Kind::Model;
    const NAME: &'static str = WHO;
}

impl NativeModel {
    /// The network.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    fn of_file(file: Result<ModelFile, LayersError>) -> Result<NativeModel, Error> {
        let file = file.map_err(in_file)?;
        let stored = Some(Buffer::from_f32(&file.weights)?);
        Ok(NativeModel { model: Arc::new(file.model), stored })
    }

    fn fill(&self, values: &[f32], into: &NativeBuffer) -> Result<(), Error> {
        into.write(0..values.len())?.f32_mut().copy_from_slice(values);
        Ok(())
    }

    fn parameter_table(&self) -> Result<String, Error> {
        let table: Vec<_> = self.model.parameters().iter().collect();
        serde_json::to_string(&table).map_err(|error| Error::Argument {
            who: WHO,
            expected: "parameters that JSON can hold".to_string(),
            got: error.to_string(),
            remedy: "Use finite numbers in initializers",
        })
    }
}

/// A fault of what the file holds is a fault of the file.
fn in_file(error: LayersError) -> Error {
    match error {
        LayersError::File { .. } | LayersError::Io { .. } => Error::Layers(error),
        other => Error::InFile(other),
    }
}

/// A model from its definition.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn define0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, json: JString<'local>) -> jlong {
    guard(env, |env| {
        let model = Arc::new(Model::from_json(&text(env, &json)?)?);
        Ok(insert(NativeModel { model, stored: None }))
    })
}

/// A model from the bytes of a file.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn read0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    file: JByteArray<'local>,
) -> jlong {
    guard(env, |env| {
        let bytes: Vec<u8> = vector(env, &file)?.into_iter().map(i8::cast_unsigned).collect();
        Ok(insert(NativeModel::of_file(model_file::read(&bytes))?))
    })
}

/// A model from a file.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn open0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, path: JString<'local>) -> jlong {
    guard(env, |env| {
        let path = text(env, &path)?;
        Ok(insert(NativeModel::of_file(model_file::open(Path::new(&path)))?))
    })
}

/// The definition as JSON.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn definition0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JString<'local> {
    guard(env, |env| Ok(env.new_string(get::<NativeModel>(handle)?.model.to_json())?))
}

/// Length of the flat vector.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn parameter_count0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> jlong {
    guard(env, |_| Ok(get::<NativeModel>(handle)?.model.parameters().len() as jlong))
}

/// Shapes of the inputs, one after the other.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn input_shapes0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JLongArray<'local> {
    guard(env, |env| array(env, &shapes(get::<NativeModel>(handle)?.model.input_shapes())))
}

/// Shape of the output.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn output_shape0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JLongArray<'local> {
    guard(env, |env| array(env, &shapes([get::<NativeModel>(handle)?.model.output_shape()])))
}

/// The parameters as JSON.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn parameter_table0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JString<'local> {
    guard(env, |env| Ok(env.new_string(get::<NativeModel>(handle)?.parameter_table()?)?))
}

/// Writes initial weights.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn initial_weights0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    seed: jlong,
    into: jlong,
) {
    guard(env, |_| {
        let model = get::<NativeModel>(handle)?;
        let weights = model.model.initial_weights(seed.cast_unsigned());
        model.fill(&weights, &*get::<NativeBuffer>(into)?)
    })
}

/// Writes the weights of the file.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn stored_weights0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    into: jlong,
) {
    guard(env, |_| {
        let model = get::<NativeModel>(handle)?;
        let stored = model.stored.as_ref().ok_or(Error::State {
            who: WHO,
            expected: "a model read from a file",
            got: "one that was only defined",
            remedy: "Use initialWeights, or open a model file",
        })?;
        model.fill(stored.f32(), &*get::<NativeBuffer>(into)?)
    })
}

/// The bytes of a model file.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn write0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    weights: jlong,
) -> JByteArray<'local> {
    guard(env, |env| {
        let (model, weights) = (get::<NativeModel>(handle)?, get::<NativeBuffer>(weights)?);
        let weights = weights.read(0..model.model.parameters().len())?;
        let bytes = model_file::write(&model.model, weights.f32())?;
        array(env, &bytes.into_iter().map(u8::cast_signed).collect::<Vec<i8>>())
    })
}

/// The bytes of a model file before its weights.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn file_header0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JByteArray<'local> {
    guard(env, |env| {
        let header = model_file::header(&get::<NativeModel>(handle)?.model)?;
        array(env, &header.into_iter().map(u8::cast_signed).collect::<Vec<i8>>())
    })
}

/// Where the weights lie in a file with this header: begin and end of each parameter.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn locate0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    header: JByteArray<'local>,
    bytes: jlong,
) -> JLongArray<'local> {
    guard(env, |env| {
        let header: Vec<u8> = vector(env, &header)?.into_iter().map(i8::cast_unsigned).collect();
        let model = get::<NativeModel>(handle)?;
        let ranges = model_file::locate(&model.model, &header, size(WHO, bytes)?);
        let ends = ranges.map_err(in_file)?.into_iter();
        let ends: Vec<_> =
            ends.flat_map(|range| [range.start as jlong, range.end as jlong]).collect();
        array(env, &ends)
    })
}

/// Writes a model file.
#[jni_mangle("firesteel.jni.NativeModel")]
pub fn save0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    path: JString<'local>,
    weights: jlong,
) {
    guard(env, |env| {
        let (model, weights) = (get::<NativeModel>(handle)?, get::<NativeBuffer>(weights)?);
        let weights = weights.read(0..model.model.parameters().len())?;
        Ok(model_file::save(Path::new(&text(env, &path)?), &model.model, weights.f32())?)
    })
}
