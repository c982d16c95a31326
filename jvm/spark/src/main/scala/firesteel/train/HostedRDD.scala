package firesteel.train

import java.util.UUID

import org.apache.spark.{Dependency, NarrowDependency, Partition, SparkContext, TaskContext}
import org.apache.spark.firesteel.Executor
import org.apache.spark.rdd.RDD

import firesteel.data.Role

/** The chunks of one shard. */
private[train] final case class Shard(role: Role, number: Int)

/**
 * The shards that an executor does not have yet.
 *
 * @param executor the executor they belong on
 */
private[train] final class HostedRows(
    val executor: String,
    val shards: Iterator[(Shard, Iterator[Array[Byte]])]
)

/** A task's executor and the shards it is to load. */
private[train] final class HostedPartition(
    override val index: Int,
    val executor: String,
    val shards: Array[(Shard, Partition)]
) extends Partition

/**
 * One partition per executor, made of the shards it is to load.
 *
 * @param sources for each role, one partition of chunks per shard
 * @param wanted the shards of each task
 */
private[train] final class HostedRDD(
    sc: SparkContext,
    sources: IndexedSeq[(Role, RDD[Array[Byte]])],
    @transient private val executors: Seq[Executor],
    @transient private val wanted: IndexedSeq[Seq[Shard]]
) extends RDD[HostedRows](sc, sources.map(source => HostedRDD.dependency(source, wanted))) {

  override protected def getPartitions: Array[Partition] =
    executors
      .zip(wanted)
      .zipWithIndex
      .map { case ((executor, shards), n) =>
        val chunks = shards.map(shard => (shard, source(shard.role).partitions(shard.number)))
        new HostedPartition(n, executor.id, chunks.toArray)
      }
      .toArray

  override protected def getPreferredLocations(split: Partition): Seq[String] =
    Seq(executors(split.index).location)

  override def compute(split: Partition, context: TaskContext): Iterator[HostedRows] = {
    val part = split.asInstanceOf[HostedPartition]
    val shards = part.shards.iterator.map { case (shard, chunks) =>
      (shard, source(shard.role).iterator(chunks, context))
    }
    Iterator.single(new HostedRows(part.executor, shards))
  }

  private def source(role: Role): RDD[Array[Byte]] =
    dependencies(sources.indexWhere(_._1 == role)).rdd.asInstanceOf[RDD[Array[Byte]]]
}

private object HostedRDD {
  def dependency(
      source: (Role, RDD[Array[Byte]]),
      wanted: IndexedSeq[Seq[Shard]]
  ): Dependency[Array[Byte]] = {
    val (role, chunks) = source
    val parents = wanted.map(_.collect { case Shard(`role`, number) => number })
    new NarrowDependency[Array[Byte]](chunks) {
      override def getParents(partition: Int): Seq[Int] = parents(partition)
    }
  }
}

/**
 * Takes a place in a view and the rows of the shards that are not here yet into native memory; number
 * of rows of each.
 *
 * @param from number of the view that the training comes from, if there is one
 * @param starts where each member's weights and state come from
 */
private[train] final class JoinTask(
    id: UUID,
    view: View,
    from: Option[Int],
    iteration: Long,
    starts: IndexedSeq[Start]
) extends (Iterator[HostedRows] => Outcome[Seq[(Shard, Long)]])
    with Serializable {

  override def apply(rows: Iterator[HostedRows]): Outcome[Seq[(Shard, Long)]] = {
    val context = TaskContext.get()
    val hosted = rows.next()
    val n = context.partitionId()
    if (hosted.executor != PlacedTask.here) {
      PlacedTask.yieldToOriginal(context)
      Outcome.Misplaced(PlacedTask.here)
    } else {
      TrainingHosts.find(id) match {
        case None => Outcome.Unfinished(Seq(n))
        case Some(host) =>
          host.join(view, n, from, iteration, starts(n))
          Outcome.Done(hosted.shards.map { case (shard, chunks) =>
            (shard, host.load(shard.role, shard.number, chunks))
          }.toVector)
      }
    }
  }
}
