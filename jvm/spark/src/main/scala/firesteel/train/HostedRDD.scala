package firesteel.train

import java.util.UUID

import org.apache.spark.{
  Dependency,
  NarrowDependency,
  Partition,
  SparkContext,
  SparkEnv,
  TaskContext
}
import org.apache.spark.firesteel.Executor
import org.apache.spark.rdd.RDD

import firesteel.data.Role

/**
 * The rows of the shards that a task hosts.
 *
 * @param executor the executor they belong on
 * @param shards number and chunks of each shard
 */
private[train] final class HostedRows(
    val executor: String,
    val shards: Iterator[(Int, Iterator[Array[Byte]])]
)

/** A task's executor and its part of the shards. */
private[train] final class HostedPartition(
    override val index: Int,
    val executor: String,
    val shards: Range,
    val chunks: Array[Partition]
) extends Partition

/**
 * One partition per executor, made of the shards it hosts.
 *
 * @param chunks one partition per shard
 * @param hosted the shards of each task
 */
private[train] final class HostedRDD(
    sc: SparkContext,
    chunks: RDD[Array[Byte]],
    @transient private val executors: Seq[Executor],
    @transient private val hosted: IndexedSeq[Range]
) extends RDD[HostedRows](sc, Seq(HostedRDD.dependency(chunks, hosted))) {

  override protected def getPartitions: Array[Partition] =
    executors
      .zip(hosted)
      .zipWithIndex
      .map { case ((executor, shards), n) =>
        new HostedPartition(n, executor.id, shards, shards.map(chunks.partitions(_)).toArray)
      }
      .toArray

  override protected def getPreferredLocations(split: Partition): Seq[String] =
    Seq(executors(split.index).location)

  override def compute(split: Partition, context: TaskContext): Iterator[HostedRows] = {
    val part = split.asInstanceOf[HostedPartition]
    val parent = firstParent[Array[Byte]]
    val shards = part.shards.iterator.zip(part.chunks.iterator).map { case (shard, chunk) =>
      (shard, parent.iterator(chunk, context))
    }
    Iterator.single(new HostedRows(part.executor, shards))
  }
}

private object HostedRDD {
  def dependency(chunks: RDD[Array[Byte]], hosted: IndexedSeq[Range]): Dependency[Array[Byte]] =
    new NarrowDependency[Array[Byte]](chunks) {
      override def getParents(partition: Int): Seq[Int] = hosted(partition)
    }
}

/** Takes the rows of the hosted shards into native memory; number of rows of each shard. */
private[train] final class LoadTask(id: UUID, role: Role)
    extends ((TaskContext, Iterator[HostedRows]) => Outcome[Array[Long]])
    with Serializable {

  override def apply(context: TaskContext, rows: Iterator[HostedRows]): Outcome[Array[Long]] = {
    val here = SparkEnv.get.executorId
    val hosted = rows.next()
    if (hosted.executor == here) {
      val host = TrainingHosts(id)
      Outcome.Done(hosted.shards.map { case (shard, chunks) =>
        host.load(role, shard, chunks)
      }.toArray)
    } else {
      Outcome.Misplaced(here)
    }
  }
}
