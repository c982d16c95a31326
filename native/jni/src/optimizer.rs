//! `firesteel.jni.NativeOptimizer`: reduction and update of one slice.

use crate::buffer::{Lease, NativeBuffer};
use crate::convert::{array, count, pairs, size, text, vector};
use crate::exceptions::Error;
use crate::guard::guard;
use crate::handle::{Kind, Managed, get, insert};
use crate::model::NativeModel;
use jni::objects::{JClass, JDoubleArray, JIntArray, JLongArray, JString};
use jni::sys::{jdouble, jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use layers::Model;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::Arc;
use train::slices::slice;
use train::tree::{self, Root};
use train::{Optimizer, Strategy, Update, Wire};

const WHO: &str = "NativeOptimizer";

/// A rule, the model it is for, the form of its gradients, and the threads it runs on.
pub struct NativeOptimizer {
    /// As it was given.
    given: Optimizer,
    /// What is done with what was exchanged: the same, unless shards take steps by themselves.
    rule: Optimizer,
    strategy: Strategy,
    model: Arc<Model>,
    seed: u64,
    wire: Wire,
    /// Absent if the caller's thread does the work.
    pool: Option<ThreadPool>,
}

impl Managed for NativeOptimizer {
    const KIND: Kind = Kind::Optimizer;
    const NAME: &'static str = WHO;
}

/// What one slice of an iteration is made from; the state is that of the slice, the weights are the
/// full vector.
struct Inputs {
    slice: Range<usize>,
    shards: usize,
    iteration: u64,
    roots: Vec<Root>,
    gradients: Vec<Arc<NativeBuffer>>,
    /// Where the slice begins in each gradient, in floats.
    offsets: Vec<usize>,
    weights: Arc<NativeBuffer>,
    state: Arc<NativeBuffer>,
}

/// The same numbers as they come from Java.
struct Arguments {
    n: jint,
    of: jint,
    shards: jint,
    iteration: jlong,
    roots: Vec<jint>,
    gradients: Vec<jlong>,
    offsets: Vec<jlong>,
    weights: jlong,
    state: jlong,
}

/// What an update is told beside its inputs, and where it writes.
struct Outputs {
    rate_factor: f64,
    sums: Vec<f64>,
    weights: Arc<NativeBuffer>,
    state: Arc<NativeBuffer>,
}

impl NativeOptimizer {
    fn new(
        model: Arc<Model>,
        json: &str,
        threads: usize,
        strategy: Strategy,
        seed: u64,
    ) -> Result<NativeOptimizer, Error> {
        let pool = if threads > 1 { Some(pool(threads)?) } else { None };
        let given = Optimizer::from_json(json)?;
        given.check_names(model.parameters())?;
        let rule = strategy.exchanged(&given);
        let wire = Wire::of(strategy.gradient_compression, model.parameters());
        Ok(NativeOptimizer { given, rule, strategy, model, seed, wire, pool })
    }

    /// Slice `n` of `of`.
    fn slice(&self, n: jint, of: jint) -> Result<Range<usize>, Error> {
        let (n, of) = number(n, of)?;
        Ok(self.rule.slice(n, of, self.model.parameters().len()))
    }

    /// The floats `begin .. end` of the model's flat vector.
    fn range(&self, begin: jlong, end: jlong) -> Result<Range<usize>, Error> {
        let range = size("NativeOptimizer: begin", begin)?..size("NativeOptimizer: end", end)?;
        let len = self.model.parameters().len();
        if range.start <= range.end && range.end <= len {
            return Ok(range);
        }
        Err(Error::Argument {
            who: "NativeOptimizer: end",
            expected: format!("a range within the {len} floats of the model"),
            got: format!("{begin} .. {end}"),
            remedy: "Pass the range of a slice",
        })
    }

    fn inputs(&self, from: Arguments) -> Result<Inputs, Error> {
        let offset = |offset: jlong| size("NativeOptimizer: gradientOffsets", offset);
        let inputs = Inputs {
            slice: self.slice(from.n, from.of)?,
            shards: count("NativeOptimizer: shards", from.shards)?,
            iteration: size("NativeOptimizer: iteration", from.iteration)? as u64,
            roots: roots(&from.roots)?,
            gradients: from.gradients.into_iter().map(get).collect::<Result<_, _>>()?,
            offsets: from.offsets.into_iter().map(offset).collect::<Result<_, _>>()?,
            weights: get(from.weights)?,
            state: get(from.state)?,
        };
        if inputs.gradients.len() == inputs.offsets.len() {
            return Ok(inputs);
        }
        Err(Error::Argument {
            who: "NativeOptimizer: gradientOffsets",
            expected: format!("one per gradient, {}", inputs.gradients.len()),
            got: inputs.offsets.len().to_string(),
            remedy: "Pass as many offsets as gradients",
        })
    }

    /// Calls `use_it` with an update of the slice that reads `inputs`.
    fn with_update<R>(
        &self,
        inputs: &Inputs,
        rate_factor: f64,
        sums: &[f64],
        use_it: impl FnOnce(Update<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let len = inputs.slice.len();
        let gradients = inputs.gradients.iter().zip(&inputs.offsets);
        let gradients = gradients.map(|(buffer, &at)| buffer.read(at..at.saturating_add(len)));
        let gradients = gradients.collect::<Result<Vec<Lease<'_>>, _>>()?;
        let gradients: Vec<&[f32]> = gradients.iter().map(Lease::f32).collect();
        let weights = inputs.weights.read(inputs.slice.clone())?;
        let state = inputs.state.read(0..self.rule.slots() * len)?;
        use_it(Update {
            optimizer: &self.rule,
            parameters: self.model.parameters(),
            slice: inputs.slice.clone(),
            iteration: inputs.iteration,
            age: inputs.iteration,
            rate_factor,
            sums,
            shards: inputs.shards,
            roots: &inputs.roots,
            gradients: &gradients,
            rounding: self.wire.rounding(self.seed, inputs.iteration),
            weights_old: weights.f32(),
            state_old: state.f32(),
        })
    }

    fn partial_sums(&self, inputs: &Inputs) -> Result<Vec<f64>, Error> {
        self.with_update(inputs, 1.0, &[], |update| match &self.pool {
            Some(pool) => Ok(update.partial_sums_on(pool)?),
            None => Ok(update.partial_sums()?),
        })
    }

    fn update(&self, inputs: &Inputs, outputs: &Outputs) -> Result<(), Error> {
        let len = inputs.slice.len();
        let mut weights = outputs.weights.write(inputs.slice.clone())?;
        let mut state = outputs.state.write(0..self.rule.slots() * len)?;
        // Steps that shards took by themselves had it already.
        let is_local = self.strategy.local_steps.is_some();
        let rate_factor = if is_local { 1.0 } else { outputs.rate_factor };
        self.with_update(inputs, rate_factor, &outputs.sums, |update| {
            match &self.pool {
                Some(pool) => update.run_on(pool, weights.f32_mut(), state.f32_mut())?,
                None => update.run(weights.f32_mut(), state.f32_mut())?,
            }
            Ok(())
        })
    }
}

fn pool(threads: usize) -> Result<ThreadPool, Error> {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    let builder = builder.thread_name(|n| format!("firesteel-update-{n}"));
    builder.build().map_err(|error| train::Error::Threads(error.to_string()).into())
}

fn roots(pairs: &[jint]) -> Result<Vec<Root>, Error> {
    let pair = |pair: &[jint]| match *pair {
        [first, level] => Ok(Root {
            first: size("NativeOptimizer: roots", first)?,
            level: size("NativeOptimizer: roots", level)? as u32,
        }),
        _ => Err(Error::Argument {
            who: "NativeOptimizer: roots",
            expected: "pairs of first shard and level".to_string(),
            got: format!("{} numbers", pairs.len()),
            remedy: "Pass what roots returned",
        }),
    };
    pairs.chunks(2).map(pair).collect()
}

/// Checks that a packed gradient has its size.
fn check_packed(expected: usize, packed: &NativeBuffer) -> Result<(), Error> {
    if packed.bytes() == expected {
        return Ok(());
    }
    Err(Error::Argument {
        who: "NativeOptimizer: packed",
        expected: format!("{expected} bytes"),
        got: packed.bytes().to_string(),
        remedy: "Allocate as many bytes as gradientBytes says",
    })
}

/// A slice number and the number of slices.
fn number(n: jint, of: jint) -> Result<(usize, usize), Error> {
    let (n, of) = (size("NativeOptimizer: n", n)?, count("NativeOptimizer: of", of)?);
    if n < of {
        return Ok((n, of));
    }
    Err(Error::Argument {
        who: "NativeOptimizer: n",
        expected: format!("a slice number below {of}"),
        got: n.to_string(),
        remedy: "Count slices from 0",
    })
}

fn bounds(slice: &Range<usize>) -> [jlong; 2] {
    [slice.start as jlong, slice.end as jlong]
}

/// A rule for the parameters of a model.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn create0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    model: jlong,
    json: JString<'local>,
    threads: jint,
    strategy: JString<'local>,
    seed: jlong,
) -> jlong {
    guard(env, |env| {
        let model = get::<NativeModel>(model)?.model().clone();
        let threads = count("NativeOptimizer: threads", threads)?;
        let strategy = Strategy::from_json(&text(env, &strategy)?)?;
        let (json, seed) = (text(env, &json)?, seed.cast_unsigned());
        Ok(insert(NativeOptimizer::new(model, &json, threads, strategy, seed)?))
    })
}

/// The rule as JSON.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn definition0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JString<'local> {
    guard(env, |env| Ok(env.new_string(get::<NativeOptimizer>(handle)?.given.to_json())?))
}

/// Number of state vectors.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn slots0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    guard(env, |_| Ok(get::<NativeOptimizer>(handle)?.rule.slots() as jint))
}

/// Which state vector is the average of the weights, or -1.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn average_slot0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    guard(env, |_| {
        let slot = get::<NativeOptimizer>(handle)?.rule.average_slot();
        Ok(slot.map_or(-1, |slot| slot as jint))
    })
}

/// Begin and end of a slice of any vector.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn slice0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    n: jint,
    of: jint,
    length: jlong,
) -> JLongArray<'local> {
    guard(env, |env| {
        let (n, of) = number(n, of)?;
        array(env, &bounds(&slice(n, of, size("NativeOptimizer: length", length)?)))
    })
}

/// Begin and end of a slice of the model's parameters.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn parameter_slice0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    n: jint,
    of: jint,
) -> JLongArray<'local> {
    guard(env, |env| array(env, &bounds(&get::<NativeOptimizer>(handle)?.slice(n, of)?)))
}

/// The subtrees of some neighbouring shards.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn roots0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    begin: jint,
    end: jint,
    shards: jint,
) -> JIntArray<'local> {
    guard(env, |env| {
        let begin = size("NativeOptimizer: begin", begin)?;
        let end = size("NativeOptimizer: end", end)?;
        let shards = count("NativeOptimizer: shards", shards)?;
        array(env, &pairs(&tree::roots(begin..end.min(shards), shards)))
    })
}

/// Whether the rule needs partial sums.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn needs_sums0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> bool {
    guard(env, |_| Ok(get::<NativeOptimizer>(handle)?.rule.needs_sums()))
}

/// What one slice contributes to the sums.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn partial_sums0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    n: jint,
    of: jint,
    shards: jint,
    iteration: jlong,
    roots: JIntArray<'local>,
    gradients: JLongArray<'local>,
    offsets: JLongArray<'local>,
    weights: jlong,
    state: jlong,
) -> JDoubleArray<'local> {
    guard(env, |env| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        let roots = vector(env, &roots)?;
        let (gradients, offsets) = (vector(env, &gradients)?, vector(env, &offsets)?);
        let from =
            Arguments { n, of, shards, iteration, roots, gradients, offsets, weights, state };
        array(env, &optimizer.partial_sums(&optimizer.inputs(from)?)?)
    })
}

/// Reduces and updates one slice.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn update0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    n: jint,
    of: jint,
    shards: jint,
    iteration: jlong,
    rate_factor: jdouble,
    sums: JDoubleArray<'local>,
    roots: JIntArray<'local>,
    gradients: JLongArray<'local>,
    offsets: JLongArray<'local>,
    weights: jlong,
    state: jlong,
    weights_new: jlong,
    state_new: jlong,
) {
    guard(env, |env| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        let roots = vector(env, &roots)?;
        let (gradients, offsets) = (vector(env, &gradients)?, vector(env, &offsets)?);
        let from =
            Arguments { n, of, shards, iteration, roots, gradients, offsets, weights, state };
        let (weights, state) = (get(weights_new)?, get(state_new)?);
        let outputs = Outputs { rate_factor, sums: vector(env, &sums)?, weights, state };
        optimizer.update(&optimizer.inputs(from)?, &outputs)
    })
}

/// Bytes in which a range of a gradient travels.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn gradient_bytes0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    begin: jlong,
    end: jlong,
) -> jlong {
    guard(env, |_| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        Ok(optimizer.wire.bytes(optimizer.range(begin, end)?) as jlong)
    })
}

/// Brings a gradient into the form in which it travels.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn pack0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    gradient: jlong,
    packed: jlong,
) {
    guard(env, |_| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        let (gradient, packed) = (get::<NativeBuffer>(gradient)?, get::<NativeBuffer>(packed)?);
        let whole = 0..optimizer.model.parameters().len();
        check_packed(optimizer.wire.bytes(whole.clone()), &packed)?;
        let (gradient, mut packed) = (gradient.read(whole)?, packed.write_all()?);
        optimizer.wire.pack(0, gradient.f32(), packed.bytes_mut());
        Ok(())
    })
}

/// Reads a range of a gradient that has travelled.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn unpack0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    begin: jlong,
    end: jlong,
    packed: jlong,
    gradient: jlong,
) {
    guard(env, |_| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        let (packed, gradient) = (get::<NativeBuffer>(packed)?, get::<NativeBuffer>(gradient)?);
        let range = optimizer.range(begin, end)?;
        check_packed(optimizer.wire.bytes(range.clone()), &packed)?;
        let (packed, mut gradient) = (packed.read_all()?, gradient.write(0..range.len())?);
        optimizer.wire.unpack(range.start, packed.bytes(), gradient.f32_mut());
        Ok(())
    })
}

/// Learning rate of an iteration.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn learning_rate0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    iteration: jlong,
) -> jdouble {
    guard(env, |_| {
        let iteration = size("NativeOptimizer: iteration", iteration)?;
        Ok(get::<NativeOptimizer>(handle)?.given.learning_rate(iteration as u64))
    })
}

/// Factor of the learning rate after measured values.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn rate_factor0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    history: JDoubleArray<'local>,
) -> jdouble {
    guard(env, |env| Ok(get::<NativeOptimizer>(handle)?.given.rate_factor(&vector(env, &history)?)))
}
