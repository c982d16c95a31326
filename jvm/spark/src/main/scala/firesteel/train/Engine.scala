package firesteel.train

import org.apache.spark.SparkEnv
import org.apache.spark.firesteel.NativeMemory

import firesteel.data.ShardStore
import firesteel.jni._

/**
 * What an executor needs of the native library for a training, whoever else takes part.
 *
 * @param threads threads it computes with
 */
private[train] final class Engine(val spec: TrainingSpec, threads: Int) extends AutoCloseable {
  private val owned = new Closing

  /** The network. */
  val model: NativeModel = owned.add(NativeModel.define(spec.definition))

  /** Forward and backward passes of the hosted shards. */
  val worker: NativeWorker =
    building(spec.nativeWorker(model, threads))

  /** The update of a slice. */
  val optimizer: NativeOptimizer = building(spec.nativeOptimizer(model, threads))

  /** Number of the optimizer's state vectors. */
  val slots: Int = optimizer.slots()

  /** What the tasks of this executor spend their time on. */
  val clock: TaskClock = new TaskClock(SparkEnv.get.executorId)

  /** The full weights. */
  val weights: Generations = building(new Generations(model.parameterCount * 4))

  /** The hosted shards. */
  val rows: ShardStore = building(new ShardStore(model, spec.loss))

  account()

  /** Frees all shards but these. */
  def drop(but: Range): Unit = {
    rows.retain(but).foreach(shard => worker.removeShard(shard))
    account()
  }

  /** Tells Spark how much native memory is in use. */
  def account(): Unit = NativeMemory.account(NativeBuffer.allocated())

  override def close(): Unit = {
    owned.close()
    account()
  }

  private def building[T <: AutoCloseable](part: => T): T =
    try owned.add(part)
    catch {
      case e: Throwable =>
        owned.close()
        throw e
    }
}
