package firesteel.train

import scala.util.control.NonFatal

import org.apache.spark.SparkContext
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.internal.Logging
import org.apache.spark.rdd.RDD

import firesteel.data.Role
import firesteel.jni.NativeOptimizer

/**
 * A training on its executors, seen from the driver: each call is a Spark job.
 *
 * Executors and their shards are fixed while it is open. [[close]] frees the native memory on all of
 * them, however the training ended.
 */
private[train] final class Session private (spec: TrainingSpec, tasks: PlacedTasks)
    extends AutoCloseable
    with Logging {

  /** Loads one partition of chunks per shard; number of rows of each shard. */
  def load(role: Role, chunks: RDD[Array[Byte]]): IndexedSeq[Long] = {
    val hosted = tasks.executors.indices.map { n =>
      val range = NativeOptimizer.slice(n, tasks.count, spec.shards.toLong)
      range(0).toInt until range(1).toInt
    }
    val rows = new HostedRDD(chunks.sparkContext, chunks, tasks.executors, hosted)
    tasks
      .runOn(rows, tasks.executors.indices, s"loading $role", new LoadTask(spec.id, role), _ => ())
      .flatten
  }

  /**
   * Some iterations, in one job if there are several, the subtrees are known and every executor is
   * free; one after the other if not, or if the job does not get to its end.
   *
   * @param limitMs longest wait for a slice within the job in milliseconds
   */
  def iterate(steps: IndexedSeq[Step], limitMs: Long): Iterated = {
    val isGroup = steps.length > 1 && (tasks.count == 1 || lastTree.nonEmpty)
    val grouped = if (isGroup && tasks.areFree) group(steps, limitMs) else None
    Iterated(grouped.getOrElse(steps.map(iterate)), steps.length == 1 || grouped.isDefined)
  }

  /** The losses of a group; none, and the executors are back at its start, if it failed. */
  private def group(
      steps: IndexedSeq[Step],
      limitMs: Long
  ): Option[IndexedSeq[IndexedSeq[ShardLoss]]] = {
    val start = steps.head.iteration
    val what = s"iterations $start to ${steps.last.iteration}"
    val outcomes = tasks.once(what, new GroupTask(spec.id, steps.toArray, lastTree, limitMs))
    val results = outcomes.collect { case Outcome.Done(losses) => losses }
    if (results.length == tasks.count) {
      Some(steps.indices.map(i => results.flatMap(losses => shardLosses(losses(i)))))
    } else {
      logInfo(s"$what: ${outcomes.mkString(", ")}; goes on with $start, one at a time")
      val rollBack = new RollBackTask(spec.id, start)
      tasks.run(s"going back to iteration $start", rollBack)
      None
    }
  }

  /** One iteration: from the weights of t to those of t + 1; losses and rows of each shard. */
  private def iterate(step: Step): IndexedSeq[ShardLoss] = {
    val results =
      if (tasks.count == 1) {
        tasks.run(s"iteration ${step.iteration}", new LoneIterationTask(spec.id, step))
      } else {
        val results = forwardBackward(step, tasks.executors.indices)
        synchronizeParameters(step, results)
        results
      }
    results.flatMap(shardLosses)
  }

  private def shardLosses(task: ShardLosses): Seq[ShardLoss] =
    task.losses.grouped(2).map(pair => ShardLoss(pair(0), pair(1).toLong)).toSeq

  /** Measures the weights of an iteration with the validation rows. */
  def evaluate(iteration: Long): Evaluation =
    tasks.run("validation", new EvaluateTask(spec.id, iteration)).reduce(_ + _)

  /** Hash of the weights of an iteration. */
  def hash(iteration: Long): String =
    tasks.runOn(Seq(0), "weights hash", new HashTask(spec.id, iteration), _ => ()).head

  /** A model file with the weights of an iteration. */
  def write(iteration: Long): Array[Byte] =
    tasks.runOn(Seq(0), "model file", new WriteTask(spec.id, iteration), _ => ()).head

  override def close(): Unit =
    try tasks.run("release", new ReleaseTask(spec.id))
    catch {
      case NonFatal(e) =>
        logWarning(s"training ${spec.id}: native memory may not be free on every executor", e)
    } finally TrainingHosts.release(spec.id)

  private var lastTree: Array[OwnedRoot] = Array.empty

  /** Phase 1; if an executor misses weights, their owners send them again. */
  private def forwardBackward(step: Step, on: Seq[Int]): IndexedSeq[ShardLosses] = {
    val resend = new ParameterSyncTask(spec.id, step.iteration - 1, lastTree)
    tasks.runOn(
      on,
      s"forward-backward ${step.iteration}",
      new ForwardBackwardTask(spec.id, step),
      owners => { tasks.runOn(owners, "sending weights again", resend, _ => ()); () }
    )
  }

  /** Phase 2; if an executor misses gradients, their owners compute and send them again. */
  private def synchronizeParameters(step: Step, results: IndexedSeq[ShardLosses]): Unit = {
    lastTree = results.zipWithIndex
      .flatMap { case (result, n) => result.roots.map(OwnedRoot(n, _)) }
      .sortBy(_.root.first)
      .toArray
    val recompute = new ForwardBackwardTask(spec.id, step)
    tasks.run(
      s"parameter synchronization ${step.iteration}",
      new ParameterSyncTask(spec.id, step.iteration, lastTree),
      owners => { tasks.runOn(owners, "sending gradients again", recompute, _ => ()); () }
    )
    ()
  }
}

/**
 * What some iterations brought.
 *
 * @param losses losses and rows of each shard in each iteration
 * @param isWhole whether they ran in one job
 */
private[train] final case class Iterated(
    losses: IndexedSeq[IndexedSeq[ShardLoss]],
    isWhole: Boolean
)

private[train] object Session {

  /**
   * Opens a training on these executors.
   *
   * @throws ExecutorNativeException if one of them cannot load the native library
   */
  def open(sc: SparkContext, spec: TrainingSpec, executors: Seq[Executor], threads: Option[Int])
      : Session = {
    val tasks = new PlacedTasks(sc, executors.toIndexedSeq)
    val session = new Session(spec, tasks)
    try {
      val places = tasks.executors.zipWithIndex.map { case (executor, n) =>
        Place(n, tasks.count, threads.getOrElse(executor.cores))
      }
      val answers = tasks.run("opening", new OpenTask(spec, places))
      val addresses = answers.zip(executors).flatMap {
        case (Right(address), _) => address
        case (Left(cause), executor) =>
          throw new ExecutorNativeException(
            s"executor ${executor.id} on ${executor.host}: expected to take part in the training, " +
              s"got ${cause.getMessage}",
            cause
          )
      }
      if (tasks.count > 1) tasks.run("connecting", new ConnectTask(spec.id, addresses))
      session
    } catch {
      case e: Throwable =>
        session.close()
        throw e
    }
  }

  /**
   * The executors of an application, after those that its configuration promises have come or
   * `waitSeconds` are over. Without a promise, an application that has just begun waits until no
   * more come.
   *
   * @throws TrainingException if there is none
   */
  def awaitExecutors(sc: SparkContext, waitSeconds: Int): Seq[Executor] = {
    val deadline = System.nanoTime + waitSeconds * 1000000000L
    val promised = promisedExecutors(sc)
    var executors = Cluster.executors(sc)
    var changed = System.nanoTime
    def isComplete: Boolean = promised match {
      case Some(count) => executors.length >= count
      case None => executors.nonEmpty && (hasSettled(sc) || System.nanoTime - changed > SettlingNs)
    }
    while (!isComplete && System.nanoTime < deadline) {
      Thread.sleep(50)
      val now = Cluster.executors(sc)
      if (now.length != executors.length) changed = System.nanoTime
      executors = now
    }
    if (executors.isEmpty) {
      throw new TrainingException(
        s"training: expected an executor, got none in $waitSeconds s. Look whether the cluster has " +
          "free resources."
      )
    }
    executors
  }

  private def hasSettled(sc: SparkContext): Boolean =
    System.currentTimeMillis - sc.startTime > 30000

  private def promisedExecutors(sc: SparkContext): Option[Int] = {
    val conf = sc.getConf
    def number(key: String): Option[Int] = conf.getOption(key).flatMap(_.toIntOption)
    sc.master match {
      case LocalCluster(executors) => Some(executors.toInt)
      case local if local.startsWith("local") => Some(1)
      case _ =>
        number("spark.executor.instances").orElse(for {
          all <- number("spark.cores.max")
          each <- number("spark.executor.cores")
        } yield math.max(1, all / each))
    }
  }

  private val LocalCluster = """local-cluster\[\s*(\d+)\s*,.*""".r
  private val SettlingNs = 1000000000L
}
