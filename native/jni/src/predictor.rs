//! `firesteel.jni.NativePredictor`: forward passes for serving.

use crate::buffer::NativeBuffer;
use crate::convert::{count, size};
use crate::exceptions::Error;
use crate::guard::{guard, guard_compute};
use crate::handle::{Kind, Managed, get, insert};
use crate::model::NativeModel;
use jni::objects::{JByteBuffer, JClass, JObjectArray};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned, jni_mangle};
use std::sync::Arc;
use tensor::{Buffer, Shape};
use train::Predictor;

const WHO: &str = "NativePredictor";

/// A predictor with weights of its own.
pub struct NativePredictor(Predictor);

impl Managed for NativePredictor {
    const KIND: Kind = Kind::Predictor;
    const NAME: &'static str = WHO;
}

/// The memory of a direct `ByteBuffer` that holds some samples.
#[derive(Clone, Copy)]
struct Samples {
    ptr: *mut f32,
    floats: usize,
}

impl Samples {
    /// Finds the memory of `rows` samples.
    fn new(
        env: &Env<'_>,
        buffer: &JByteBuffer<'_>,
        rows: usize,
        shape: &Shape,
    ) -> Result<Samples, Error> {
        let ptr: *mut f32 = env.get_direct_buffer_address(buffer)?.cast();
        let (capacity, floats) = (env.get_direct_buffer_capacity(buffer)?, rows * shape.len());
        if capacity / size_of::<f32>() >= floats && ptr.is_aligned() {
            return Ok(Samples { ptr, floats });
        }
        Err(Error::Argument {
            who: WHO,
            expected: format!("{rows} samples of {shape}, {floats} floats at an aligned address"),
            got: format!("{capacity} bytes at {ptr:?}"),
            remedy: "Pass a larger direct buffer, or fewer rows",
        })
    }

    fn overlaps(&self, other: &Samples) -> bool {
        let end = |samples: &Samples| samples.ptr.wrapping_add(samples.floats);
        self.ptr < end(other) && other.ptr < end(self)
    }
}

impl NativePredictor {
    fn predict(&self, inputs: &[Samples], rows: usize, output: Samples) -> Result<(), Error> {
        if inputs.iter().any(|input| input.overlaps(&output)) {
            return Err(Error::Argument {
                who: WHO,
                expected: "an output that shares no memory with an input".to_string(),
                got: "one that does".to_string(),
                remedy: "Pass separate buffers",
            });
        }
        // SAFETY: each range lies within its ByteBuffer, aligned (`Samples::new`); Java keeps the
        // buffers reachable during the call and, by its contract, leaves their content alone.
        let read =
            |s: &Samples| unsafe { std::slice::from_raw_parts(s.ptr.cast_const(), s.floats) };
        let inputs: Vec<&[f32]> = inputs.iter().map(read).collect();
        // SAFETY: as above, and no input shares a byte with it.
        let output = unsafe { std::slice::from_raw_parts_mut(output.ptr, output.floats) };
        Ok(self.0.predict(&inputs, rows, output)?)
    }

    fn inputs(
        &self,
        env: &mut Env<'_>,
        buffers: &JObjectArray<'_, JByteBuffer<'_>>,
        rows: usize,
    ) -> Result<Vec<Samples>, Error> {
        let (shapes, got) = (self.0.model().input_shapes(), buffers.len(env)?);
        if shapes.len() != got {
            return Err(Error::Argument {
                who: WHO,
                expected: format!("{} inputs", shapes.len()),
                got: got.to_string(),
                remedy: "Pass one buffer per input of the model, in its order",
            });
        }
        let mut samples = Vec::with_capacity(got);
        for (index, shape) in shapes.iter().enumerate() {
            let buffer = buffers.get_element(env, index)?;
            samples.push(Samples::new(env, &buffer, rows, shape)?);
        }
        Ok(samples)
    }
}

/// A predictor with a copy of these weights.
#[jni_mangle("firesteel.jni.NativePredictor")]
pub fn create0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    model: jlong,
    weights: jlong,
    concurrent: jint,
) -> jlong {
    guard(env, |_| {
        let (model, weights) = (get::<NativeModel>(model)?, get::<NativeBuffer>(weights)?);
        let concurrent = count("NativePredictor: concurrentNum", concurrent)?;
        let own = Arc::new(Buffer::from_f32(weights.read_all()?.f32())?);
        Ok(insert(NativePredictor(Predictor::new(model.model().clone(), own, concurrent)?)))
    })
}

/// Predicts some rows.
#[jni_mangle("firesteel.jni.NativePredictor")]
pub fn predict0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    inputs: JObjectArray<'local, JByteBuffer<'local>>,
    rows: jint,
    output: JByteBuffer<'local>,
) {
    guard_compute(env, |env| {
        let predictor = get::<NativePredictor>(handle)?;
        let rows = size("NativePredictor: rows", rows)?;
        let inputs = predictor.inputs(env, &inputs, rows)?;
        let output = Samples::new(env, &output, rows, predictor.0.model().output_shape())?;
        predictor.predict(&inputs, rows, output)
    })
}
