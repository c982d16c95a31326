//! `firesteel.jni.NativeWorker`: forward and backward passes over the hosted shards.

use crate::buffer::NativeBuffer;
use crate::convert::{array, count, pairs, size, text, vector};
use crate::dataset::NativeDataset;
use crate::exceptions::Error;
use crate::guard::{guard, guard_compute};
use crate::handle::{Kind, Managed, get, insert, insert_shared};
use crate::model::NativeModel;
use jni::objects::{JClass, JDoubleArray, JIntArray, JLongArray, JString};
use jni::sys::{jdouble, jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use train::{Dataset, Loss, Optimizer, ShardLoss, Step, Strategy, Worker};

const WHO: &str = "NativeWorker";

/// A worker that calls enter one after the other.
pub struct NativeWorker {
    state: Mutex<State>,
}

struct State {
    worker: Worker,
    /// Gradients that Java may still hold; their memory is written by the next pass.
    lent: Vec<Weak<NativeBuffer>>,
}

impl Managed for NativeWorker {
    const KIND: Kind = Kind::Worker;
    const NAME: &'static str = WHO;
}

impl NativeWorker {
    fn lock(&self) -> MutexGuard<'_, State> {
        // After a panic the next pass starts from scratch, so there is nothing to protect.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Runs a pass; no other call may be reading a gradient that is overwritten.
    fn forward_backward(
        &mut self,
        weights: &NativeBuffer,
        step: &Step,
    ) -> Result<Vec<ShardLoss>, Error> {
        let lent: Vec<Arc<NativeBuffer>> =
            self.lent.drain(..).filter_map(|b| b.upgrade()).collect();
        self.lent = lent.iter().map(Arc::downgrade).collect();
        let _excluded = lent.iter().map(|b| b.write_all()).collect::<Result<Vec<_>, _>>()?;
        Ok(self.worker.forward_backward(weights.read_all()?.memory(), step)?)
    }

    fn lend(&mut self, root: usize) -> Result<Arc<NativeBuffer>, Error> {
        let roots = self.worker.roots();
        let gradient = roots.get(root).and_then(|&root| self.worker.gradient(root));
        let gradient = gradient.cloned().ok_or_else(|| Error::Argument {
            who: "NativeWorker: root",
            expected: format!("an index into the {} roots of the last pass", roots.len()),
            got: root.to_string(),
            remedy: "Call forwardBackward, then roots",
        })?;
        let buffer = Arc::new(NativeBuffer::new(gradient));
        self.lent.push(Arc::downgrade(&buffer));
        Ok(buffer)
    }
}

fn step(
    shards: jint,
    [iteration, epoch, index, of, count]: [jlong; 5],
    rate_factor: jdouble,
) -> Result<Step, Error> {
    Ok(Step {
        rate_factor,
        shards: size("NativeWorker: shards", shards)?,
        iteration: size("NativeWorker: iteration", iteration)? as u64,
        epoch: size("NativeWorker: epoch", epoch)? as u64,
        index: size("NativeWorker: index", index)?,
        of: size("NativeWorker: of", of)?,
        count: size("NativeWorker: count", count)?,
    })
}

fn shares(datasets: Vec<jlong>) -> Result<Vec<Arc<Dataset>>, Error> {
    datasets.into_iter().map(|data| Ok(get::<NativeDataset>(data)?.share())).collect()
}

fn sums(losses: &[ShardLoss]) -> Vec<jdouble> {
    losses.iter().flat_map(|loss| [loss.loss_sum, loss.count as jdouble]).collect()
}

/// A worker without shards.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn create0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    model: jlong,
    loss: JString<'local>,
    threads: jint,
    seed: jlong,
    micro_batch: jint,
    strategy: JString<'local>,
    optimizer: JString<'local>,
) -> jlong {
    guard(env, |env| {
        let model = get::<NativeModel>(model)?.model().clone();
        let loss = Loss::from_json(&text(env, &loss)?)?;
        let threads = count("NativeWorker: threads", threads)?;
        let mut worker = Worker::new(model, loss, threads, seed.cast_unsigned())?;
        let micro_batch = size("NativeWorker: microBatch", micro_batch)?;
        worker.set_micro_batch(Some(micro_batch).filter(|&rows| rows > 0))?;
        let strategy = Strategy::from_json(&text(env, &strategy)?)?;
        worker.set_precision(strategy.precision)?;
        worker.set_compression(strategy.gradient_compression);
        worker.set_local_steps(strategy.local(&Optimizer::from_json(&text(env, &optimizer)?)?))?;
        Ok(insert(NativeWorker { state: Mutex::new(State { worker, lent: Vec::new() }) }))
    })
}

/// Hosts a shard.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn set_shard0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    shard: jint,
    data: jlong,
) {
    guard(env, |_| {
        let (worker, data) = (get::<NativeWorker>(handle)?, get::<NativeDataset>(data)?);
        let shard = size("NativeWorker: shard", shard)?;
        Ok(worker.lock().worker.set_shard(shard, data.share())?)
    })
}

/// Stops hosting a shard.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn remove_shard0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    shard: jint,
) -> bool {
    guard(env, |_| {
        let shard = size("NativeWorker: shard", shard)?;
        Ok(get::<NativeWorker>(handle)?.lock().worker.remove_shard(shard))
    })
}

/// One pass over the shards' parts of a batch.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn forward_backward0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    weights: jlong,
    shards: jint,
    iteration: jlong,
    epoch: jlong,
    index: jlong,
    of: jlong,
    count: jlong,
    rate_factor: jdouble,
) -> JDoubleArray<'local> {
    guard_compute(env, |env| {
        let step = step(shards, [iteration, epoch, index, of, count], rate_factor)?;
        let (worker, weights) = (get::<NativeWorker>(handle)?, get::<NativeBuffer>(weights)?);
        let losses = worker.lock().forward_backward(&weights, &step)?;
        array(env, &sums(&losses))
    })
}

/// The subtrees of the last pass.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn roots0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JIntArray<'local> {
    guard(env, |env| array(env, &pairs(get::<NativeWorker>(handle)?.lock().worker.roots())))
}

/// Lends the gradient of a subtree: handle and size of a buffer.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn gradient0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    root: jint,
) -> JLongArray<'local> {
    guard(env, |env| {
        let root = size("NativeWorker: root", root)?;
        let buffer = get::<NativeWorker>(handle)?.lock().lend(root)?;
        let bytes = buffer.bytes() as jlong;
        array(env, &[insert_shared(buffer), bytes])
    })
}

/// Count, sum of losses and right answers of some datasets.
#[jni_mangle("firesteel.jni.NativeWorker")]
pub fn evaluate0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    weights: jlong,
    data: JLongArray<'local>,
    batch: jint,
) -> JDoubleArray<'local> {
    guard_compute(env, |env| {
        let (worker, weights) = (get::<NativeWorker>(handle)?, get::<NativeBuffer>(weights)?);
        let data = shares(vector(env, &data)?)?;
        let batch = count("NativeWorker: batch", batch)?;
        let weights = weights.read_all()?;
        let result = worker.lock().worker.evaluate(weights.memory(), &data, batch)?;
        array(env, &[result.count as jdouble, result.loss_sum, result.correct as jdouble])
    })
}
