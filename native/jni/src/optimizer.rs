//! `firesteel.jni.NativeOptimizer`: reduction and update of one slice.

use crate::buffer::{Lease, NativeBuffer};
use crate::convert::{array, count, size, text, vector};
use crate::exceptions::Error;
use crate::guard::guard;
use crate::handle::{Kind, Managed, get, insert};
use crate::model::NativeModel;
use jni::objects::{JClass, JIntArray, JLongArray, JString};
use jni::sys::{jdouble, jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use layers::Model;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::Arc;
use train::slices::slice;
use train::tree::Root;
use train::{Optimizer, Update};

const WHO: &str = "NativeOptimizer";

/// A rule, the model it is for, and the threads it runs on.
pub struct NativeOptimizer {
    rule: Optimizer,
    model: Arc<Model>,
    /// Absent if the caller's thread does the work.
    pool: Option<ThreadPool>,
}

impl Managed for NativeOptimizer {
    const KIND: Kind = Kind::Optimizer;
    const NAME: &'static str = WHO;
}

/// The buffers of one update; states hold the slice only, weights the full vector.
struct Buffers {
    gradients: Vec<Arc<NativeBuffer>>,
    /// Where the slice begins in each gradient, in floats.
    offsets: Vec<usize>,
    weights_old: Arc<NativeBuffer>,
    state_old: Arc<NativeBuffer>,
    weights_new: Arc<NativeBuffer>,
    state_new: Arc<NativeBuffer>,
}

/// Which slice, of which iteration.
struct Position {
    slice: Range<usize>,
    shards: usize,
    iteration: u64,
}

impl NativeOptimizer {
    fn new(model: Arc<Model>, json: &str, threads: usize) -> Result<NativeOptimizer, Error> {
        let pool = if threads > 1 { Some(pool(threads)?) } else { None };
        Ok(NativeOptimizer { rule: Optimizer::from_json(json)?, model, pool })
    }

    fn update(&self, at: Position, roots: &[Root], buffers: &Buffers) -> Result<(), Error> {
        let state = 0..self.rule.slots() * at.slice.len();
        let gradients = buffers.gradients(at.slice.len())?;
        let gradients: Vec<&[f32]> = gradients.iter().map(Lease::f32).collect();
        let weights_old = buffers.weights_old.read(at.slice.clone())?;
        let state_old = buffers.state_old.read(state.clone())?;
        let mut weights_new = buffers.weights_new.write(at.slice.clone())?;
        let mut state_new = buffers.state_new.write(state)?;
        let update = Update {
            optimizer: &self.rule,
            parameters: self.model.parameters(),
            slice: at.slice,
            iteration: at.iteration,
            shards: at.shards,
            roots,
            gradients: &gradients,
            weights_old: weights_old.f32(),
            state_old: state_old.f32(),
        };
        let (weights, state) = (weights_new.f32_mut(), state_new.f32_mut());
        match &self.pool {
            Some(pool) => update.run_on(pool, weights, state)?,
            None => update.run(weights, state)?,
        }
        Ok(())
    }
}

impl Position {
    fn new(
        n: jint,
        of: jint,
        shards: jint,
        iteration: jlong,
        length: usize,
    ) -> Result<Position, Error> {
        Ok(Position {
            slice: part(n, of, length)?,
            shards: count("NativeOptimizer: shards", shards)?,
            iteration: size("NativeOptimizer: iteration", iteration)? as u64,
        })
    }
}

impl Buffers {
    fn new(
        gradients: Vec<jlong>,
        offsets: Vec<jlong>,
        [weights_old, state_old, weights_new, state_new]: [jlong; 4],
    ) -> Result<Buffers, Error> {
        let offset = |offset: jlong| size("NativeOptimizer: gradientOffsets", offset);
        Ok(Buffers {
            gradients: gradients.into_iter().map(get).collect::<Result<_, _>>()?,
            offsets: offsets.into_iter().map(offset).collect::<Result<_, _>>()?,
            weights_old: get(weights_old)?,
            state_old: get(state_old)?,
            weights_new: get(weights_new)?,
            state_new: get(state_new)?,
        })
    }

    fn gradients(&self, len: usize) -> Result<Vec<Lease<'_>>, Error> {
        if self.gradients.len() != self.offsets.len() {
            return Err(Error::Argument {
                who: "NativeOptimizer: gradientOffsets",
                expected: format!("one per gradient, {}", self.gradients.len()),
                got: self.offsets.len().to_string(),
                remedy: "Pass as many offsets as gradients",
            });
        }
        let each = self.gradients.iter().zip(&self.offsets);
        each.map(|(gradient, &at)| gradient.read(at..at.saturating_add(len))).collect()
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
            remedy: "Pass what NativeWorker.roots returned",
        }),
    };
    pairs.chunks(2).map(pair).collect()
}

fn part(n: jint, of: jint, length: usize) -> Result<Range<usize>, Error> {
    let (n, of) = (size("NativeOptimizer: n", n)?, count("NativeOptimizer: of", of)?);
    if n < of {
        return Ok(slice(n, of, length));
    }
    Err(Error::Argument {
        who: "NativeOptimizer: n",
        expected: format!("a slice number below {of}"),
        got: n.to_string(),
        remedy: "Count slices from 0",
    })
}

/// A rule for the parameters of a model.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn create0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    model: jlong,
    json: JString<'local>,
    threads: jint,
) -> jlong {
    guard(env, |env| {
        let model = get::<NativeModel>(model)?.model().clone();
        let threads = count("NativeOptimizer: threads", threads)?;
        Ok(insert(NativeOptimizer::new(model, &text(env, &json)?, threads)?))
    })
}

/// Number of state vectors.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn slots0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    guard(env, |_| Ok(get::<NativeOptimizer>(handle)?.rule.slots() as jint))
}

/// Begin and end of a slice.
#[jni_mangle("firesteel.jni.NativeOptimizer")]
pub fn slice0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    n: jint,
    of: jint,
    length: jlong,
) -> JLongArray<'local> {
    guard(env, |env| {
        let slice = part(n, of, size("NativeOptimizer: length", length)?)?;
        array(env, &[slice.start as jlong, slice.end as jlong])
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
    pairs: JIntArray<'local>,
    gradients: JLongArray<'local>,
    offsets: JLongArray<'local>,
    weights_old: jlong,
    state_old: jlong,
    weights_new: jlong,
    state_new: jlong,
) {
    guard(env, |env| {
        let optimizer = get::<NativeOptimizer>(handle)?;
        let at = Position::new(n, of, shards, iteration, optimizer.model.parameters().len())?;
        let (gradients, offsets) = (vector(env, &gradients)?, vector(env, &offsets)?);
        let vectors = [weights_old, state_old, weights_new, state_new];
        let buffers = Buffers::new(gradients, offsets, vectors)?;
        optimizer.update(at, &roots(&vector(env, &pairs)?)?, &buffers)
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
        Ok(get::<NativeOptimizer>(handle)?.rule.learning_rate(iteration as u64))
    })
}
