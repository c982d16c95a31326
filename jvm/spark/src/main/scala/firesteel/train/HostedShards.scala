package firesteel.train

import scala.reflect.ClassTag

import org.apache.spark.{Partition, TaskContext}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import firesteel.data.Role

/**
 * Says that a JVM has a shard in its native memory.
 *
 * @param process the JVM
 * @param rows number of rows of the shard
 */
private[train] final case class ShardMark(process: String, rows: Long)

/**
 * The shards of a role, each in the native memory of the JVM that computes its partition.
 *
 * The only element of a partition is a mark. Spark caches it and so sends the tasks of a shard to
 * where its rows are; a task that comes elsewhere loads them there.
 *
 * @param chunks one partition per shard
 */
private[train] final class HostedShards(
    val spec: TrainingSpec,
    role: Role,
    chunks: RDD[Array[Byte]]
) extends RDD[ShardMark](chunks) {

  override protected def getPartitions: Array[Partition] = chunks.partitions

  override def compute(split: Partition, context: TaskContext): Iterator[ShardMark] =
    using(split, context) { (_, shard) =>
      Iterator.single(ShardMark(ShardHosts.process, shard.rows))
    }

  /** Works with a shard, here. */
  def using[R](split: Partition, context: TaskContext)(work: (ShardHost, HostedShard) => R): R =
    ShardHosts.here.using(spec) { host =>
      def rows = firstParent[Array[Byte]].iterator(split, context)
      work(host, host.shard(Shard(role, split.index), rows))
    }
}

/** What is made of each shard, where it is. */
private[train] abstract class ShardWork[T: ClassTag](shards: HostedShards) extends RDD[T](shards) {

  protected def work(
      number: Int,
      host: ShardHost,
      shard: HostedShard,
      context: TaskContext
  ): Iterator[T]

  override protected def getPartitions: Array[Partition] = shards.partitions

  final override def compute(split: Partition, context: TaskContext): Iterator[T] = {
    // Marks the shard as being here, if no JVM that lives has a mark of it.
    shards.iterator(split, context).foreach(_ => ())
    shards.using(split, context)(work(split.index, _, _, context))
  }
}

/**
 * How good the weights are on the rows of each shard, and who measured it.
 *
 * @param weights those of the iteration
 */
private[train] final class Evaluations(
    shards: HostedShards,
    iteration: Long,
    weights: Broadcast[Pieces]
) extends ShardWork[(String, Evaluation)](shards) {

  override protected def work(
      number: Int,
      host: ShardHost,
      shard: HostedShard,
      context: TaskContext
  ): Iterator[(String, Evaluation)] =
    Iterator.single(
      (ShardHosts.process, shard.evaluate(host.weights(iteration, weights.value)))
    )
}
