package firesteel.data

import scala.collection.mutable

import org.apache.spark.firesteel.NativeMemory

import firesteel.jni.{NativeBuffer, NativeDataset, NativeModel}

/** Which rows: those to learn from, or those to measure with. */
private[firesteel] sealed trait Role extends Serializable

private[firesteel] object Role {
  case object Training extends Role
  case object Validation extends Role
}

/** The shards that an executor hosts in a training, in native memory. */
private[firesteel] final class ShardStore(model: NativeModel, loss: String) extends AutoCloseable {
  private val shards = mutable.Map.empty[(Role, Int), NativeDataset]

  /**
   * Takes a shard's chunks, in any order; replaces the shard if it was here.
   *
   * @throws firesteel.NativeMemoryException if the memory cannot be had
   */
  def load(role: Role, shard: Int, chunks: Iterator[Array[Byte]]): NativeDataset = synchronized {
    val dataset = new NativeDataset(model, loss)
    try {
      chunks.foreach { chunk =>
        dataset.append(chunk, chunk.length)
        NativeMemory.account(NativeBuffer.allocated())
      }
      dataset.seal()
    } catch {
      case e: Throwable =>
        dataset.close()
        throw e
    }
    shards.put((role, shard), dataset).foreach(_.close())
    dataset
  }

  /** The shards of a role in the order of their numbers. */
  def datasets(role: Role): Array[NativeDataset] = synchronized {
    shards.toSeq
      .collect { case ((`role`, shard), dataset) => (shard, dataset) }
      .sortBy { case (shard, _) => shard }
      .map { case (_, dataset) => dataset }
      .toArray
  }

  /** Frees all shards but these; the numbers of the freed ones of the training rows. */
  def retain(numbers: Range): Seq[Int] = synchronized {
    val gone = shards.keys.filterNot { case (_, shard) => numbers.contains(shard) }.toSeq
    gone.foreach(shards.remove(_).foreach(_.close()))
    gone.collect { case (Role.Training, shard) => shard }
  }

  override def close(): Unit = synchronized {
    shards.values.foreach(_.close())
    shards.clear()
  }
}
