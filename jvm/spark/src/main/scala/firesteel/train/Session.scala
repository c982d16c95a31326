package firesteel.train

import scala.annotation.tailrec
import scala.util.control.NonFatal

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.internal.Logging
import org.apache.spark.rdd.RDD

import firesteel.Conf
import firesteel.data.Role
import firesteel.jni.{Histogram, NativeModel, NativeOptimizer}

/**
 * A training on its executors, seen from the driver: each call is a Spark job, or some.
 *
 * What a lost or hung executor interrupts begins again on those that are left, from the last complete
 * iteration; executors that come join between iterations. [[close]] frees the native memory on all
 * of them, however the training ended.
 */
private[train] final class Session private (
    sc: SparkContext,
    val spec: TrainingSpec,
    sources: IndexedSeq[(Role, RDD[Array[Byte]])],
    threads: Option[Int],
    observer: Observer
) extends TrainingSession
    with Logging {
  protected val conf: SparkConf = sc.getConf
  private val attempts = Conf.Attempts.get(conf).getOrElse(8)
  private val executorWait = Conf.ExecutorWait.get(conf).getOrElse(60)
  private val exchangeMs = Conf.ExchangeTimeout.get(conf).getOrElse(120) * 1000L
  private val isBarrier = Conf.GroupBarrier.get(conf).getOrElse(false)
  private val natives = new Closing
  protected val model: NativeModel = natives.add(NativeModel.define(spec.definition))
  protected val optimizer: NativeOptimizer = natives.add(spec.nativeOptimizer(model))
  private val newcomers = new Newcomers(sc, spec, threads)
  private val views = new Views(sc, spec, sources, optimizer, exchangeMs)
  private var position = 0L
  private var failures = 0

  /** Factor of the time that members wait for each other: grows when they give up for nothing. */
  private var slack = 1L

  /** Number of executors that take part. */
  def executors: Int = view.count

  /** Number of rows of each shard. */
  def rowsOf(role: Role): IndexedSeq[Long] =
    (0 until spec.shards).map(number => views.rowsOf(Shard(role, number)))

  /**
   * Some iterations, in one job if there are several and every executor is free.
   *
   * A group that does not get to its end brings nothing; an iteration alone is tried until it does.
   *
   * @param iterationMs time of an iteration, as last measured; 0 if it never was
   * @param hashes whether the weights are to be hashed at the end
   */
  def iterate(steps: IndexedSeq[Step], iterationMs: Double, hashes: Boolean): Iterated = {
    adapt()
    val watch = watchOf(iterationMs)
    val done =
      if (steps.length > 1 && tasks.areFree) group(steps, watch, hashes)
      else Some(iterated(IndexedSeq(steadily(iterate(steps.head, watch))), None))
    done.foreach { some =>
      position = steps(some.losses.length - 1).iteration + 1
      failures = 0
      slack = math.max(1, slack / 2)
    }
    done.getOrElse(Iterated.Nothing)
  }

  /** Goes back to an iteration that is still here: the one with which the last job began. */
  def goBack(iteration: Long): Unit = {
    position = iteration
    renew(Broken(s"going back to iteration $iteration"))
  }

  /**
   * Begins with the initial weights, or with those of a checkpoint.
   *
   * @throws CheckpointException if it is damaged
   */
  def begin(from: Option[Checkpoint]): Unit = {
    position = from.fold(0L)(_.manifest.state.iteration)
    val start = from.fold[Start](Start.Initial)(Start.Saved(_))
    enter(crew(Set.empty), Some(start)).left.foreach(renew(_, Some(start)))
  }

  /** Measures the weights with the validation rows. */
  def evaluate(): Evaluation =
    steadily(tasks.run("validation", work(SeatWork.evaluate(position)))).flatten
      .foldLeft(Evaluation.Empty)(_ + _)

  /** Hash of the weights. */
  def hash(): String =
    steadily(tasks.runOn(Seq(0), "weights hash", work(SeatWork.hash(position)))).head

  /** How the weights are distributed, by the names of the parameters. */
  def histograms(): Seq[(String, Histogram)] = {
    val ranges = ModelSummary.ranges(model)
    val all = steadily {
      tasks.runOn(Seq(0), "histograms", work(SeatWork.histograms(position, ranges)))
    }
    ranges.map(_.name).zip(all.head)
  }

  /** Writes the files of a checkpoint. */
  def checkpoint(to: CheckpointStore): (CheckpointDraft, IndexedSeq[CheckpointPart]) = steadily {
    val draft = to.begin(position)
    val task = work(SeatWork.checkpoint(draft))
    tasks.run(s"checkpoint of iteration $position", task).map((draft, _))
  }

  /** The average of the weights, like all state, comes from those who own it. */
  protected def read(what: String, piece: SliceRange, slot: Option[Int]): Array[Byte] = {
    val parts = steadily {
      val owners = view.members.indices.filter(view.slices(_).intersect(piece).isDefined)
      val from = if (slot.isEmpty) Seq(0) else owners
      tasks.runOn(from, what, work(SeatWork.write(position, piece, slot)))
    }
    Array.concat(parts: _*)
  }

  override def close(): Unit =
    try TrainingSession.outsideJobGroup(sc) {
        val alive = Cluster.executorIds(sc)
        val all = (view.members.map(_.executor) ++ newcomers.close()).filter(one => alive(one.id))
        val release = new ReleaseTask(spec.id)
        new PlacedTasks(sc, all).run("release", release, Some(Session.ReleaseWatch)).left.foreach {
          broken => logInfo(s"training ${spec.id}: ${broken.reason}")
        }
      }
    catch {
      case NonFatal(e) =>
        logWarning(s"training ${spec.id}: native memory may not be free on every executor", e)
    } finally {
      TrainingHosts.release(spec.id)
      natives.close()
    }

  private def view: View = views.current

  private def tasks: PlacedTasks = views.tasks

  private def work[R](what: (TrainingHost, Seat) => R): SeatWork[R] =
    new SeatWork(spec.id, view.number, what)

  /** What a group brought; nothing, and all are back at its start, if it failed. */
  private def group(steps: IndexedSeq[Step], watch: Watch, hashes: Boolean): Option[Iterated] = {
    val what = s"iterations ${steps.head.iteration} to ${steps.last.iteration}"
    val task = new GroupTask(
      spec.id,
      view.number,
      steps.toArray,
      optimizer.needsSums,
      hashes,
      watch.silentMs
    )
    tasks.group(what, task, watch, isBarrier) match {
      case Right(results) =>
        val each = steps.indices.map(i => results.map(_.iterations(i)))
        Some(iterated(each, results.head.hash))
      case Left(broken) =>
        renew(broken)
        None
    }
  }

  /** One iteration: from the weights of t to those of t + 1. */
  private def iterate(step: Step, watch: Watch): Either[Broken, IndexedSeq[ShardLosses]] = {
    val id = spec.id
    if (view.count == 1) {
      val lone = new LoneIterationTask(id, view.number, step)
      tasks.run(s"iteration ${step.iteration}", lone)
    } else {
      val forward = new ForwardBackwardTask(id, view.number, step, watch.silentMs)
      for {
        losses <- tasks.run(s"forward-backward ${step.iteration}", forward, Some(watch))
        sums <- sums(step, watch)
        sync = new ParameterSyncTask(id, view.number, step, sums, watch.silentMs)
        _ <- tasks.run(s"parameter synchronization ${step.iteration}", sync, Some(watch))
      } yield losses
    }
  }

  /** The sums over the whole vector, for optimizers that need them. */
  private def sums(step: Step, watch: Watch): Either[Broken, Array[Double]] =
    if (!optimizer.needsSums) Right(Array.emptyDoubleArray)
    else {
      val partial = new PartialSumsTask(spec.id, view.number, step)
      tasks.run(s"sums ${step.iteration}", partial, Some(watch)).map(_.toArray.flatten)
    }

  private def iterated(
      results: IndexedSeq[IndexedSeq[ShardLosses]],
      hash: Option[String]
  ): Iterated = {
    val times = ExecutorTimes.perExecutor(results.flatten.map(_.times))
    Iterated(results.map(_.flatMap(shardLosses)), times, hash)
  }

  private def shardLosses(task: ShardLosses): Seq[ShardLoss] =
    task.losses.grouped(2).map(pair => ShardLoss(pair(0), pair(1).toLong)).toSeq

  /** Tries until it is done, each time with the executors that are left. */
  @tailrec private def steadily[R](work: => Either[Broken, R]): R = work match {
    case Right(result) => result
    case Left(broken) =>
      renew(broken)
      steadily(work)
  }

  /** Lets go of executors that leave, and takes in those that have come. */
  private def adapt(): Unit = {
    val leaving = view.members.filterNot(one => Cluster.isStaying(sc, one.executor.id))
    val coming = if (view.count < spec.shards) newcomers.ready(view.executorIds) else Nil
    if (leaving.nonEmpty || coming.nonEmpty) {
      val changes = leaving.map(one => s"executor ${one.executor.id} leaves") ++
        coming.map(one => s"executor ${one.executor.id} comes")
      renew(Broken(changes.mkString(", ")))
    }
  }

  /**
   * Goes on, from the last complete iteration, with the executors that there are.
   *
   * @throws StateLostException if nobody has some of the state any more
   */
  private def renew(broken: Broken, start: Option[Start] = None): Unit = {
    val (before, begin) = (view.executorIds, System.nanoTime)
    renewed(broken, start)
    if (view.executorIds != before) {
      val ms = (System.nanoTime - begin) / 1e6
      observer.clusterChanged(
        ClusterChange(position, before.size, view.count, broken.reason, ms)
      )
    }
  }

  @tailrec private def renewed(broken: Broken, start: Option[Start]): Unit = {
    logInfo(s"${broken.reason}; goes on from iteration $position")
    failures += 1
    if (failures > attempts) {
      throw new TrainingException(
        s"training: expected iteration $position to get to its end, got $failures attempts that did " +
          s"not (${Conf.Attempts.key}): ${broken.reason}. Look into the executors' logs."
      )
    }
    val hung = unresponsive(broken.silent)
    if (hung.isEmpty && view.executorIds.subsetOf(Cluster.executorIds(sc))) {
      slack = math.min(2 * slack, Session.MostSlack)
    }
    hung.foreach { id =>
      logWarning(s"executor $id runs its task but does not answer: it is replaced")
      Cluster.replace(sc, id, "it did not answer within a training")
    }
    (view.executorIds -- Cluster.executorIds(sc) ++ hung).foreach(Cluster.forgetFiles(sc, _))
    enter(crew(hung), start) match {
      case Right(()) => ()
      case Left(again) => renewed(again, start)
    }
  }

  /** Which of these executors do not even answer the others that something has arrived. */
  private def unresponsive(silent: Set[String]): Set[String] = {
    val (suspects, witnesses) =
      view.members.indices.partition(n => silent(view.members(n).executor.id))
    if (suspects.isEmpty || witnesses.isEmpty) Set.empty
    else {
      tasks.runOn(witnesses, "asking for a sign of life", work(SeatWork.ping(suspects))) match {
        case Right(answers) => answers.flatten.map(view.members(_).executor.id).toSet
        case Left(_) => Set.empty
      }
    }
  }

  private def enter(
      members: IndexedSeq[Member],
      start: Option[Start]
  ): Either[Broken, Unit] =
    views.enter(members, position, start).map(_ => newcomers.forget(view.executorIds))

  /** Who is to be part of the next view; waits for someone if there is nobody. */
  private def crew(hung: Set[String]): IndexedSeq[Member] = {
    val deadline = System.nanoTime + executorWait * 1000000000L
    @tailrec def gather(): IndexedSeq[Member] = {
      val staying = view.members.filter { one =>
        Cluster.isStaying(sc, one.executor.id) && !hung(one.executor.id)
      }
      val all = staying ++ newcomers.ready(view.executorIds)
      if (all.nonEmpty) all.take(spec.shards)
      else if (System.nanoTime > deadline) {
        throw new ExecutorLostException(
          s"training: expected an executor, got none for $executorWait s (${Conf.ExecutorWait.key}) " +
            "after the last one was lost. Look whether the cluster has free resources."
        )
      } else {
        Thread.sleep(50)
        gather()
      }
    }
    gather()
  }

  /** Even a slow iteration of a slow executor ends earlier; who does not answer then is hung. */
  private def watchOf(iterationMs: Double): Watch = {
    val silentMs = Conf.GroupTimeout
      .get(conf)
      .map(_ * 1000L)
      .getOrElse(
        if (iterationMs > 0) math.max(Session.SilentMs, (6 * iterationMs).toLong) else exchangeMs
      )
    Watch(slack * silentMs, math.max(Session.GraceMs, iterationMs.toLong))
  }

  /** Allocates the training on executors; they are ready to join. */
  @tailrec private def open(executors: Seq[Executor]): Unit = {
    val opening = new OpenTask(spec, threads, executors.map(_.cores))
    new PlacedTasks(sc, executors.toIndexedSeq).run("opening", opening) match {
      case Left(broken) =>
        logInfo(broken.reason)
        open(Executors.await(sc, executorWait).take(spec.shards))
      case Right(answers) =>
        answers.zip(executors).foreach {
          case (Right(address), executor) => newcomers.add(Member(executor, address))
          case (Left(cause), executor) =>
            throw new ExecutorNativeException(
              s"executor ${executor.id} on ${executor.host}: expected to take part in the training, " +
                s"got ${cause.getMessage}",
              cause
            )
        }
    }
  }
}

private[train] object Session {
  private val SilentMs = 2000L
  private val GraceMs = 300L
  private val MostSlack = 64L
  private val ReleaseWatch = Watch(silentMs = 10000, graceMs = 10000)

  /**
   * Opens a training on these executors.
   *
   * @param sources for each role, one partition of chunks per shard
   * @param observer told when executors come or go
   * @throws ExecutorNativeException if one of them cannot load the native library
   */
  def open(
      sc: SparkContext,
      spec: TrainingSpec,
      sources: IndexedSeq[(Role, RDD[Array[Byte]])],
      executors: Seq[Executor],
      threads: Option[Int],
      observer: Observer
  ): Session = {
    val session = new Session(sc, spec, sources, threads, observer)
    try {
      session.open(executors.take(spec.shards))
      session
    } catch {
      case e: Throwable =>
        session.close()
        throw e
    }
  }
}
