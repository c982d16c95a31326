package firesteel.train

import scala.collection.mutable

import org.apache.spark.{Partition, SparkContext, SparkEnv, SparkException, TaskContext}
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.rdd.RDD

import firesteel.{Conf, NativeException}
import firesteel.data.DataException

/**
 * A task that belongs on a certain executor.
 *
 * A class of its own and not a closure: there is nothing for Spark to clean or to copy but the few
 * numbers in it.
 */
private[train] abstract class PlacedTask[R]
    extends ((TaskContext, Iterator[String]) => Outcome[R])
    with Serializable {

  /** The work of task `n`. */
  protected def run(n: Int, context: TaskContext): Outcome[R]

  /** Called where the task does not belong. */
  protected def misplaced(): Unit = ()

  /** Works only on the right executor: a preferred location is a wish. */
  final override def apply(context: TaskContext, executor: Iterator[String]): Outcome[R] = {
    val here = SparkEnv.get.executorId
    if (executor.next() == here) {
      run(context.partitionId(), context)
    } else {
      misplaced()
      Outcome.Misplaced(here)
    }
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

/**
 * Runs tasks on the executors of a training, task n on executor n.
 *
 * @param executors fixed for the whole training
 */
private[train] final class PlacedTasks(sc: SparkContext, val executors: IndexedSeq[Executor]) {
  private val rdd = new PlacedRDD(sc, executors)
  private val attempts = Conf.Attempts.get(sc.getConf).getOrElse(8)
  private val taskCores = sc.getConf.getInt("spark.task.cpus", 1)
  private val placementSeconds = Conf.PlacementTimeout.get(sc.getConf).getOrElse(600)

  /** Number of tasks. */
  val count: Int = executors.length

  /** Runs a task on all executors; the results in the order of the tasks. */
  def run[R](what: String, task: PlacedTask[R], repair: Seq[Int] => Unit): IndexedSeq[R] =
    runOn(executors.indices, what, task, repair)

  /** Runs a task that misses nothing. */
  def run[R](what: String, task: PlacedTask[R]): IndexedSeq[R] = run(what, task, _ => ())

  /** Whether every executor is alive and has a free slot now. */
  def areFree: Boolean = {
    val running = Cluster.runningTasks(sc)
    executors.forall { executor =>
      running.get(executor.id).exists(tasks => (tasks + 1) * taskCores <= executor.cores)
    }
  }

  /**
   * Runs a task on all executors once; how each ended.
   *
   * @throws ExecutorLostException if a task is not done and one of the executors is gone
   */
  def once[R](what: String, task: PlacedTask[R]): IndexedSeq[Outcome[R]] = {
    name(what)
    val outcomes = submit(rdd, executors.indices, task).map { case (_, outcome) => outcome }
    val areDone = outcomes.forall(_.isInstanceOf[Outcome.Done[_]])
    if (!areDone) checkAlive(what)
    outcomes.toIndexedSeq
  }

  /**
   * Runs a task on some executors, again and again until all are done.
   *
   * @param repair runs the tasks that own what others missed
   * @throws ExecutorLostException if one of the executors is gone
   * @throws TrainingException if a task is not done within `spark.firesteel.attempts` attempts or
   *   its executor has no free slot for `spark.firesteel.placementTimeout` seconds
   */
  def runOn[R](
      tasks: Seq[Int],
      what: String,
      task: PlacedTask[R],
      repair: Seq[Int] => Unit
  ): IndexedSeq[R] =
    runOn(rdd, tasks, what, task, repair)

  /** The same over an RDD that hands the tasks their rows. */
  def runOn[T, R](
      rows: RDD[T],
      tasks: Seq[Int],
      what: String,
      task: (TaskContext, Iterator[T]) => Outcome[R],
      repair: Seq[Int] => Unit
  ): IndexedSeq[R] = {
    val results = mutable.Map.empty[Int, R]
    val start = System.nanoTime
    var pending = tasks
    var attempt = 0
    var pauseMs = 20L
    while (pending.nonEmpty) {
      val missing = mutable.SortedSet.empty[Int]
      var unfinished = false
      name(what)
      submit(rows, pending, task).foreach {
        case (n, Outcome.Done(result)) => results.put(n, result)
        case (_, Outcome.Misplaced(_)) => ()
        case (_, Outcome.Unfinished(owners)) =>
          unfinished = true
          missing ++= owners
      }
      pending = pending.filterNot(results.contains)
      if (pending.nonEmpty) {
        if (unfinished) attempt += 1
        if (attempt == attempts) giveUp(what, pending, s"$attempt attempts (${Conf.Attempts.key})")
        if (System.nanoTime - start > placementSeconds * 1000000000L) {
          giveUp(what, pending, s"$placementSeconds s (${Conf.PlacementTimeout.key})")
        }
        // The driver may learn of a lost executor later than its peers do.
        Thread.sleep(pauseMs)
        pauseMs = math.min(2 * pauseMs, 1000L)
        checkAlive(what)
        if (missing.nonEmpty) repair(missing.toSeq)
      }
    }
    tasks.map(results).toIndexedSeq
  }

  private def submit[T, R](
      rows: RDD[T],
      tasks: Seq[Int],
      task: (TaskContext, Iterator[T]) => Outcome[R]
  ): Seq[(Int, Outcome[R])] = {
    val outcomes = new Array[Outcome[R]](tasks.length)
    try {
      sc.runJob[T, Outcome[R]](
        rows,
        task,
        tasks,
        (index: Int, outcome: Outcome[R]) => outcomes(index) = outcome
      )
    } catch {
      case e: SparkException => throw PlacedTasks.causeOf(e)
    }
    tasks.zip(outcomes.toSeq)
  }

  /** Names the job in Spark's UI and spares it the walk up the stack. */
  private def name(what: String): Unit = {
    sc.setLocalProperty("callSite.short", what)
    sc.setLocalProperty("callSite.long", what)
  }

  private def checkAlive(what: String): Unit = {
    val alive = Cluster.executorIds(sc)
    executors.find(executor => !alive(executor.id)).foreach { lost =>
      throw new ExecutorLostException(
        s"$what: expected executor ${lost.id} on ${lost.host}, got none: it is lost. Start the " +
          "training again."
      )
    }
  }

  private def giveUp(what: String, pending: Seq[Int], limit: String): Nothing = {
    val names = pending.map(n => s"${executors(n).id} on ${executors(n).host}").mkString(", ")
    throw new TrainingException(
      s"$what: expected executors $names to be done, got no end after $limit. Look into their " +
        "logs, and whether other jobs hold their slots."
    )
  }
}

private[firesteel] object PlacedTasks {

  /** The exception that a user should see: ours if a task threw one, else Spark's. */
  def causeOf(e: SparkException): Throwable =
    Iterator
      .iterate[Throwable](e)(_.getCause)
      .takeWhile(_ != null)
      .collectFirst {
        case ours @ (_: DataException | _: NativeException | _: TrainingException) => ours
      }
      .getOrElse(e)
}
