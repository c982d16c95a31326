package firesteel.train

import scala.collection.mutable
import scala.concurrent.ExecutionContext
import scala.util.{Failure, Success}

import org.apache.spark.{SimpleFutureAction, SparkContext, SparkException}
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.rdd.RDD

import firesteel.{Conf, NativeException}
import firesteel.data.DataException

/**
 * Why a job did not get to its end.
 *
 * @param silent executors that still ran their task when the others had ended or given up: hung, or slow
 */
private[train] final case class Broken(reason: String, silent: Set[String] = Set.empty)

/**
 * How long the members of a job wait for each other.
 *
 * @param silentMs time after which a member gives up, in milliseconds
 * @param graceMs time in which the others must end too then
 */
private[train] final case class Watch(silentMs: Long, graceMs: Long)

/**
 * Runs tasks on some executors, task n on executor n, as Spark jobs.
 *
 * A job ends early, and its tasks are killed, when an executor of it is lost or hung.
 */
private[train] final class PlacedTasks(sc: SparkContext, val executors: IndexedSeq[Executor]) {
  private val rdd = new PlacedRDD(sc, executors)
  private val taskCores = sc.getConf.getInt("spark.task.cpus", 1)
  private val placementSeconds = Conf.PlacementTimeout.get(sc.getConf).getOrElse(600)

  /** Number of tasks. */
  def count: Int = executors.length

  /** Whether every executor is alive and has a free slot now. */
  def areFree: Boolean = {
    val running = Cluster.runningTasks(sc)
    executors.forall { executor =>
      running.get(executor.id).exists(tasks => (tasks + 1) * taskCores <= executor.cores)
    }
  }

  /** Runs a task on all executors; the results in the order of the tasks. */
  def run[R](
      what: String,
      task: PlacedTask[R],
      watch: Option[Watch] = None
  ): Either[Broken, IndexedSeq[R]] = runOn(rdd, executors.indices, what, task, watch)

  /** Runs a task on some executors only. */
  def runOn[R](tasks: Seq[Int], what: String, task: PlacedTask[R]): Either[Broken, IndexedSeq[R]] =
    runOn(rdd, tasks, what, task, None)

  /**
   * Runs tasks over an RDD that hands them their rows; those that land on the wrong executor are
   * placed again.
   *
   * @param isThere whether an executor can still do its part
   * @throws TrainingException if an executor has no free slot for
   *   `spark.firesteel.placementTimeout` seconds
   */
  def runOn[T, R](
      rows: RDD[T],
      tasks: Seq[Int],
      what: String,
      task: Iterator[T] => Outcome[R],
      watch: Option[Watch],
      isThere: String => Boolean = isAlive
  ): Either[Broken, IndexedSeq[R]] = {
    val results = mutable.Map.empty[Int, R]
    val start = System.nanoTime
    var broken = Option.empty[Broken]
    var pauseMs = 20L
    while (broken.isEmpty && results.size < tasks.length) {
      val pending = tasks.filterNot(results.contains)
      name(what)
      val answers = new Answers[R](what, pending, watch, isThere)
      val isWhole = answers.await(
        sc.submitJob[T, Outcome[R], Unit](rows, task, pending, answers.put(_, _), ())
      )
      results ++= answers.results
      broken = answers.broken(isWhole).orElse(lost(what, pending.filterNot(results.contains)))
      if (broken.isEmpty && results.size < tasks.length) {
        if (System.nanoTime - start > placementSeconds * 1000000000L) {
          giveUp(what, pending.filterNot(results.contains))
        }
        Thread.sleep(pauseMs)
        pauseMs = math.min(2 * pauseMs, 1000L)
      }
    }
    broken.toLeft(tasks.map(results).toIndexedSeq)
  }

  /** Runs a task on all executors at once, as a barrier stage if wanted, and only once. */
  def group[R](
      what: String,
      task: PlacedTask[R],
      watch: Watch,
      isBarrier: Boolean
  ): Either[Broken, IndexedSeq[R]] = {
    name(what)
    val answers = new Answers[R](what, executors.indices, Some(watch), isAlive)
    val isWhole = answers.await(
      if (isBarrier) {
        val gang = rdd.barrier().mapPartitions(rows => Iterator.single(task(rows)))
        sc.submitJob[Outcome[R], Outcome[R], Unit](
          gang,
          _.next(),
          executors.indices,
          answers.put(_, _),
          ()
        )
      } else {
        sc.submitJob[String, Outcome[R], Unit](
          rdd,
          task,
          executors.indices,
          answers.put(_, _),
          ()
        )
      }
    )
    val results = answers.results
    if (results.size == count) Right(executors.indices.map(results))
    else {
      val left = executors.indices.filterNot(results.contains)
      Left(
        answers.broken(isWhole).orElse(lost(what, left)).getOrElse(Broken(s"$what: a task strayed"))
      )
    }
  }

  /** What the tasks of a job have answered so far. */
  private final class Answers[R](
      what: String,
      tasks: Seq[Int],
      watch: Option[Watch],
      isThere: String => Boolean
  ) {
    private val outcomes = mutable.Map.empty[Int, Outcome[R]]
    private var late = Set.empty[String]
    private var gaveUpAt = Option.empty[Long]

    def put(index: Int, outcome: Outcome[R]): Unit = synchronized {
      outcomes.put(tasks(index), outcome)
      if (outcome.isInstanceOf[Outcome.Unfinished] && gaveUpAt.isEmpty) {
        gaveUpAt = Some(System.nanoTime)
      }
      notifyAll()
    }

    def results: Map[Int, R] = synchronized {
      outcomes.collect { case (n, Outcome.Done(result)) => (n, result) }.toMap
    }

    /** Waits until the job ends or must be ended; whether all tasks have answered. */
    def await(action: SimpleFutureAction[Unit]): Boolean = synchronized {
      action.onComplete(_ => synchronized(notifyAll()))(ExecutionContext.parasitic)
      val start = System.nanoTime
      var over = false
      try {
        while (!over && !action.isCompleted) {
          wait(PlacedTasks.LookMs)
          over = !action.isCompleted && (silent.exists(isLost) || isLate(action, start))
        }
      } catch {
        case e: InterruptedException =>
          action.cancel()
          throw e
      }
      if (over) action.cancel()
      else {
        action.value.foreach {
          case Success(_) => ()
          case Failure(e: SparkException) if !silent.exists(isLost) => throw PlacedTasks.causeOf(e)
          case Failure(_: SparkException) => ()
          case Failure(e) => throw e
        }
      }
      silent.isEmpty
    }

    def broken(isWhole: Boolean): Option[Broken] = synchronized {
      val unfinished = outcomes.collect { case (n, Outcome.Unfinished(missing)) => (n, missing) }
      Option.when(!isWhole || unfinished.nonEmpty) {
        val reasons = unfinished.map { case (n, missing) =>
          val whom = missing.map(names).mkString(", ")
          s"executor ${names(n)} gave up" + (if (whom.isEmpty) "" else s", it missed $whom")
        } ++ silent.map(n => s"executor ${names(n)} is ${if (isLost(n)) "lost" else "silent"}")
        Broken(s"$what: ${reasons.mkString("; ")}", late)
      }
    }

    private def silent: Seq[Int] = tasks.filterNot(outcomes.contains)

    private def isLost(n: Int): Boolean = !isThere(executors(n).id)

    /** Whether some executors still run their task long after another has ended; remembers which. */
    private def isLate(action: SimpleFutureAction[Unit], start: Long): Boolean = watch.exists {
      limit =>
        def over(since: Long, ms: Long): Boolean = (System.nanoTime - since) / 1000000 > ms
        val isDue = outcomes.nonEmpty && silent.nonEmpty &&
          (gaveUpAt.exists(over(_, limit.graceMs)) || over(start, limit.silentMs + limit.graceMs))
        if (isDue) {
          val running = Cluster.runningOn(sc, action.jobIds)
          late = silent.map(executors(_).id).filter(running).toSet
        }
        late.nonEmpty
    }

    private def names(n: Int): String = executors.lift(n).fold(s"of member $n")(_.id)
  }

  private def isAlive(executor: String): Boolean = Cluster.executorIds(sc)(executor)

  private def lost(what: String, pending: Seq[Int]): Option[Broken] = {
    val alive = Cluster.executorIds(sc)
    pending.map(executors(_)).find(executor => !alive(executor.id)).map { executor =>
      Broken(s"$what: executor ${executor.id} on ${executor.host} is lost")
    }
  }

  /** Names the job in Spark's UI and spares it the walk up the stack. */
  private def name(what: String): Unit = {
    sc.setLocalProperty("callSite.short", what)
    sc.setLocalProperty("callSite.long", what)
  }

  private def giveUp(what: String, pending: Seq[Int]): Nothing = {
    val names = pending.map(n => s"${executors(n).id} on ${executors(n).host}").mkString(", ")
    throw new TrainingException(
      s"$what: expected executors $names to be done, got no end after $placementSeconds s " +
        s"(${Conf.PlacementTimeout.key}). Look whether other jobs hold their slots."
    )
  }
}

private[firesteel] object PlacedTasks {

  /** How often a waiting driver looks for what nobody tells it. */
  private val LookMs = 20L

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
