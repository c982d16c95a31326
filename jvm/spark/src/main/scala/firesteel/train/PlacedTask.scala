package firesteel.train

import org.apache.spark.{Partition, SparkContext, SparkEnv, TaskContext}
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.rdd.RDD

/**
 * A task that belongs on a certain executor.
 *
 * A class of its own and not a closure: there is nothing for Spark to clean or to copy but the few
 * numbers in it.
 */
private[train] abstract class PlacedTask[R] extends (Iterator[String] => Outcome[R])
    with Serializable {

  /** The work of task `n`. */
  protected def run(n: Int, context: TaskContext): Outcome[R]

  /** Called where the task does not belong. */
  protected def misplaced(): Unit = ()

  /** Works only on the right executor: a preferred location is a wish. */
  final override def apply(executor: Iterator[String]): Outcome[R] = {
    val context = TaskContext.get()
    if (executor.next() == PlacedTask.here) {
      run(context.partitionId(), context)
    } else {
      misplaced()
      PlacedTask.yieldToOriginal(context)
      Outcome.Misplaced(PlacedTask.here)
    }
  }
}

private[train] object PlacedTask {
  private val MostYieldMs = 30000L

  /** The id of this executor. */
  def here: String = SparkEnv.get.executorId

  /** Whether this JVM is the driver of a local master. */
  def isDriver: Boolean = here == Cluster.Driver

  /**
   * A repeated task elsewhere is a speculative copy, or a task whose executor is gone. Its answer
   * would end the task that still works, so it waits until Spark or the driver ends it.
   */
  def yieldToOriginal(context: TaskContext): Unit = {
    val deadline = System.currentTimeMillis + MostYieldMs
    while (
      context.attemptNumber() > 0 && !context.isInterrupted() &&
      System.currentTimeMillis < deadline
    ) Thread.sleep(20)
  }
}

/** The executor that a partition belongs on. */
private[train] final class PlacedPartition(override val index: Int, val executor: String)
    extends Partition

/** One partition per executor, whose only element is the executor's id. */
private[train] final class PlacedRDD(
    sc: SparkContext,
    @transient private val executors: Seq[Executor]
) extends RDD[String](sc, Nil) {

  override protected def getPartitions: Array[Partition] =
    executors.zipWithIndex.map { case (executor, n) => new PlacedPartition(n, executor.id) }.toArray

  override protected def getPreferredLocations(split: Partition): Seq[String] =
    Seq(executors(split.index).location)

  override def compute(split: Partition, context: TaskContext): Iterator[String] =
    Iterator.single(split.asInstanceOf[PlacedPartition].executor)
}
