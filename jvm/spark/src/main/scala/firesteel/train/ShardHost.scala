package firesteel.train

import java.util.concurrent.ConcurrentHashMap

import scala.collection.mutable

import firesteel.data.Role
import firesteel.jni._

/**
 * What this JVM has of a training whose weights and gradients travel by shuffle and broadcast: a
 * cache of what Spark's lineage can make again, wherever a task runs.
 */
private[train] final class ShardHost(spec: TrainingSpec) extends AutoCloseable {
  private val owned = new Closing
  private val shards = new ConcurrentHashMap[Shard, HostedShard]
  private val received = mutable.Map.empty[Long, NativeBuffer]

  /** The network. */
  val model: NativeModel = owned.add(NativeModel.define(spec.definition))

  /** The update of a slice. */
  val optimizer: NativeOptimizer =
    try owned.add(spec.nativeOptimizer(model))
    catch {
      case e: Throwable =>
        owned.close()
        throw e
    }

  /** A shard, of these chunks if it is not here yet. */
  def shard(which: Shard, chunks: => Iterator[Array[Byte]]): HostedShard =
    shards.computeIfAbsent(which, _ => HostedShard.load(spec, model, which, chunks))

  /** The full weights of an iteration; they and those of the iteration before are kept. */
  def weights(iteration: Long, sent: => Pieces): NativeBuffer = synchronized {
    received.getOrElseUpdate(
      iteration, {
        received.keys.toSeq.sorted.dropRight(1).foreach(received.remove(_).foreach(_.close()))
        // Fetching may fail, so it comes before there is memory to free.
        val pieces = sent
        val buffer = new NativeBuffer(model.parameterCount * 4)
        pieces.copyTo(buffer, 0)
        buffer
      }
    )
  }

  /** Frees it all; what a call uses, after the call. */
  override def close(): Unit = synchronized {
    shards.values.forEach(_.close())
    shards.clear()
    received.values.foreach(_.close())
    received.clear()
    owned.close()
  }
}

/** A shard's rows in native memory, and the network's passes over them, one at a time. */
private[train] final class HostedShard private (
    spec: TrainingSpec,
    shard: Shard,
    dataset: NativeDataset,
    worker: NativeWorker
) extends AutoCloseable {

  /** Number of rows. */
  def rows: Long = dataset.rows

  /** Forward, backward: the loss, and what `take` makes of the gradient before the next pass. */
  def gradient[R](weights: NativeBuffer, step: Step)(take: NativeBuffer => R): (ShardLoss, R) =
    synchronized {
      val losses = worker.forwardBackward(
        weights,
        spec.shards,
        step.iteration,
        step.epoch,
        step.index,
        step.of,
        step.count,
        step.rateFactor
      )
      val gradient = worker.gradient(0)
      try (ShardLoss(losses(0), losses(1).toLong), take(gradient))
      finally gradient.close()
    }

  /** Measures the weights with all rows. */
  def evaluate(weights: NativeBuffer): Evaluation = synchronized {
    Evaluation.of(worker.evaluate(weights, Array(dataset), spec.batchSize))
  }

  override def close(): Unit = {
    worker.close()
    dataset.close()
  }
}

private[train] object HostedShard {

  /** Takes the chunks of a shard into native memory. */
  def load(
      spec: TrainingSpec,
      model: NativeModel,
      shard: Shard,
      chunks: Iterator[Array[Byte]]
  ): HostedShard = {
    val owned = new Closing
    try {
      val dataset = owned.add(new NativeDataset(model, spec.loss))
      chunks.foreach(chunk => dataset.append(chunk, chunk.length))
      dataset.seal()
      val worker = owned.add(spec.nativeWorker(model))
      if (shard.role == Role.Training) worker.setShard(shard.number, dataset)
      new HostedShard(spec, shard, dataset, worker)
    } catch {
      case e: Throwable =>
        owned.close()
        throw e
    }
  }
}
