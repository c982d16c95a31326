package firesteel.train

import java.util.UUID

import scala.collection.mutable
import scala.reflect.ClassTag
import scala.util.control.NonFatal

import org.apache.spark.{HashPartitioner, SparkConf, SparkContext, SparkException, TaskContext}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.internal.Logging
import org.apache.spark.rdd.{RDD, ShuffledRDD}
import org.apache.spark.storage.StorageLevel

import firesteel.data.Role
import firesteel.jni._

/**
 * A training by Spark's public API alone: gradients travel by shuffle, weights by broadcast.
 *
 * An iteration is one job of two stages: a task per shard computes its gradient, a task per slice
 * sums it along the tree and updates it. Weights and optimizer state between two iterations are with
 * the driver; so Spark's own lineage recovers from whatever is lost, and nothing depends on where a
 * task runs.
 */
private[train] final class PublicSession private (
    sc: SparkContext,
    val spec: TrainingSpec,
    sources: IndexedSeq[(Role, RDD[Array[Byte]])]
) extends TrainingSession
    with Logging {
  protected val conf: SparkConf = sc.getConf
  private val natives = new Closing
  protected val model: NativeModel = natives.add(NativeModel.define(spec.definition))
  protected val optimizer: NativeOptimizer = natives.add(spec.nativeOptimizer(model))
  private val slots = optimizer.slots()
  private val slices = PublicSession.slices(model, optimizer, spec.shards)
  private val hosted = sources.map { case (role, chunks) =>
    (role, new HostedShards(spec, role, chunks).persist(StorageLevel.MEMORY_ONLY))
  }.toMap

  private var vectors = new Vectors(model.parameterCount, slots, slices)
  private var rows = Map.empty[Role, IndexedSeq[Long]]
  private var position = 0L
  private var sent = Option.empty[(Long, Broadcast[Pieces])]

  /** The JVMs that had a task of the last iteration, and those that ever had one. */
  private var active = Set.empty[String]
  private var touched = Set.empty[String]

  override def executors: Int = active.size

  override def rowsOf(role: Role): IndexedSeq[Long] =
    rows.getOrElse(role, IndexedSeq.fill(spec.shards)(0L))

  override def begin(from: Option[Checkpoint]): Unit = {
    forgetSent()
    vectors.close()
    vectors = new Vectors(model.parameterCount, slots, slices)
    position = from.fold(0L)(_.manifest.state.iteration)
    from match {
      case None =>
        model.initialWeights(spec.seed, weights.claim(position))
        states.foreach(_.claim(position))
      case Some(checkpoint) =>
        checkpoint.readWeights(model, weights.claim(position))
        slices.zip(states).foreach { case (range, state) =>
          checkpoint.readState(range, slots, state.claim(position))
        }
    }
    if (rows.isEmpty) rows = hosted.map { case (role, shards) => (role, load(role, shards)) }
  }

  override def iterate(
      steps: IndexedSeq[Step],
      iterationMs: Double,
      hashes: Boolean
  ): Iterated = {
    generations.foreach(_.keep(position))
    if (steps.length > 1) generations.foreach(_.grow())
    val reports = steps.map(iterate)
    val times = ExecutorTimes.perExecutor(reports.flatMap(_._2))
    active = times.map(_.executor).toSet
    Iterated(reports.map(_._1), times, Option.when(hashes)(hash()))
  }

  override def goBack(iteration: Long): Unit = {
    position = iteration
    generations.foreach(_.forgetAfter(iteration))
  }

  override def evaluate(): Evaluation = {
    val work = new Evaluations(hosted(Role.Validation), position, broadcast())
    val measured = run("validation", work)(PublicSession.only[(String, Evaluation)])
    touched ++= measured.map(_._1)
    measured.map(_._2).foldLeft(Evaluation.Empty)(_ + _)
  }

  override def hash(): String = current.sha256(model.parameterCount)

  override def histograms(): Seq[(String, Histogram)] = ModelSummary.ranges(model).map { range =>
    (range.name, NativeHistogram.of(current, range.offset, range.length))
  }

  override def checkpoint(to: CheckpointStore): (CheckpointDraft, IndexedSeq[CheckpointPart]) = {
    val draft = to.begin(position)
    val parts = slices.indices.map { n =>
      val state = draft.writeState(n, slices.length, slices(n), slots, states(n)(position))
      CheckpointPart(slots, state, Option.when(n == 0)(draft.writeWeights(model, current)))
    }
    (draft, parts)
  }

  protected def read(what: String, piece: SliceRange, slot: Option[Int]): Array[Byte] =
    slot.fold(Pieces.array(current, piece.begin * 4, Math.toIntExact(piece.bytes))) { slot =>
      val parts = for ((slice, n) <- slices.zipWithIndex; part <- slice.intersect(piece)) yield {
        val at = slot * slice.bytes + (part.begin - slice.begin) * 4
        Pieces.array(states(n)(position), at, Math.toIntExact(part.bytes))
      }
      Array.concat(parts: _*)
    }

  override def close(): Unit =
    try {
      forgetSent()
      hosted.values.foreach(_.unpersist())
      TrainingSession.outsideJobGroup(sc)(release())
    } catch {
      case NonFatal(e) =>
        logWarning(s"training ${spec.id}: an executor frees native memory only after a while", e)
    } finally {
      ShardHosts.here.release(spec.id)
      vectors.close()
      natives.close()
    }

  private def weights: Generations = vectors.weights

  private def states: IndexedSeq[Generations] = vectors.states

  private def current: NativeBuffer = weights(position)

  private def generations: Seq[Generations] = weights +: states

  /** Takes the rows of each shard into native memory; their numbers. */
  private def load(role: Role, shards: HostedShards): IndexedSeq[Long] = {
    val what = s"loading ${role.toString.toLowerCase} rows"
    val marks = run(what, shards)(PublicSession.only[ShardMark])
    active ++= marks.map(_.process)
    touched ++= active
    marks.map(_.rows)
  }

  /** One iteration: the losses of the shards, and what each task spent its time on. */
  private def iterate(step: Step): (IndexedSeq[ShardLoss], Seq[ExecutorTimes]) = {
    val (all, old) = (broadcast(), states.filter(_ => slots > 0).map(_(position)))
    val sentStates = slices.zip(old).map { case (range, state) =>
      sc.broadcast(Pieces.of(state, 0, slots * range.bytes))
    }
    val gradients = new Gradients(hosted(Role.Training), step, slices, all)
    val partitioner = new HashPartitioner(slices.length)
    val shuffled = new ShuffledRDD[Int, GradientPiece, GradientPiece](gradients, partitioner)
    val work = new SliceWork(spec, slots, slices, step, all, sentStates)
    try {
      val sums = if (optimizer.needsSums) sumsOf(work, shuffled) else Array.emptyDoubleArray
      val updated = run(s"iteration ${step.iteration}", shuffled)(new SliceUpdateTask(work, sums))
      take(updated, step.iteration + 1)
      val reports = updated.flatMap(_.reports)
      val times = reports.map(_.times) ++ updated.map(_.times)
      touched ++= times.map(_.executor)
      (reports.map(_.loss), times)
    } finally {
      sentStates.foreach(_.destroy())
      // Only this shuffle: what the gradients are made of is persisted, so Spark stops there.
      shuffled.cleanShuffleDependencies()
    }
  }

  /** The sums over the whole vector; Spark finds the gradients already shuffled in the next job. */
  private def sumsOf(work: SliceWork, shuffled: RDD[(Int, GradientPiece)]): Array[Double] = {
    val sums = run(s"sums ${work.step.iteration}", shuffled)(new SliceSumsTask(work))
    touched ++= sums.map(_._1)
    sums.flatMap(_._2).toArray
  }

  private def take(updated: IndexedSeq[UpdatedSlice], iteration: Long): Unit = {
    val all = weights.claim(iteration)
    updated.indices.foreach { n =>
      updated(n).weights.copyTo(all, slices(n).begin * 4)
      updated(n).state.copyTo(states(n).claim(iteration), 0)
    }
    position = iteration
  }

  /** The weights, sent to whoever asks for them. */
  private def broadcast(): Broadcast[Pieces] = {
    sent.filter(_._1 == position).map(_._2).getOrElse {
      forgetSent()
      val made = sc.broadcast(Pieces.of(current, 0, model.parameterCount * 4))
      sent = Some((position, made))
      made
    }
  }

  private def forgetSent(): Unit = {
    sent.foreach(_._2.destroy())
    sent = None
  }

  /** What each partition's task returns, in the order of the partitions. */
  private def run[T, R: ClassTag](what: String, rdd: RDD[T])(
      task: (TaskContext, Iterator[T]) => R
  ): IndexedSeq[R] = {
    sc.setCallSite(what)
    try sc.runJob(rdd, task).toIndexedSeq
    catch { case e: SparkException => throw PlacedTasks.causeOf(e) }
  }

  /**
   * Frees the native memory of all JVMs that can be reached: a task for each slot, again if one of
   * them had none.
   */
  private def release(): Unit = {
    val reached = mutable.Set.empty[String]
    val task = new ReleaseShardsTask(spec.id)
    for (_ <- 1 to PublicSession.ReleaseRounds if !touched.subsetOf(reached)) {
      val slots = math.max(sc.defaultParallelism, touched.size)
      reached ++= run("release", sc.parallelize(0 until slots, slots))(task)
    }
  }
}

/** Weights and optimizer state, of a few iterations. */
private final class Vectors(parameters: Long, slots: Int, slices: IndexedSeq[SliceRange])
    extends AutoCloseable {
  private val owned = new Closing

  val weights: Generations = owned.add(new Generations(parameters * 4))

  /** The state of each slice. */
  val states: IndexedSeq[Generations] =
    try slices.map(range => owned.add(new Generations(slots * range.bytes)))
    catch {
      case e: Throwable =>
        owned.close()
        throw e
    }

  override def close(): Unit = owned.close()
}

/** Frees a training in the JVM of the task, which lasts long enough for others to go elsewhere. */
private[train] final class ReleaseShardsTask(id: UUID)
    extends ((TaskContext, Iterator[Int]) => String)
    with Serializable {

  override def apply(context: TaskContext, none: Iterator[Int]): String = {
    ShardHosts.here.release(id)
    Thread.sleep(20)
    ShardHosts.process
  }
}

private[train] object PublicSession {
  private val ReleaseRounds = 5
  private val SettlingMs = 1000L
  private val NewMs = 30000L

  /** Floats below which a model is one slice: a task costs more than its part of the work. */
  private val SmallSlice = 1L << 18

  /** Most floats of a slice. */
  private val LargeSlice = 1L << 24

  /** A session for these sources: for each role, one partition of chunks per shard. */
  def open(
      sc: SparkContext,
      spec: TrainingSpec,
      sources: IndexedSeq[(Role, RDD[Array[Byte]])]
  ): PublicSession = new PublicSession(sc, spec, sources)

  /**
   * The cores of an application; one that has just begun waits until no more executors come, since
   * those that are there first would get all shards.
   */
  def awaitCores(sc: SparkContext, waitSeconds: Int): Int = {
    val deadline = System.nanoTime + waitSeconds * 1000000000L
    var (count, changed) = (0, System.nanoTime)
    def isOver: Boolean = sc.isLocal || System.nanoTime > deadline || count > 1 &&
      (System.currentTimeMillis - sc.startTime > NewMs ||
        System.nanoTime - changed > SettlingMs * 1000000)
    while (!isOver) {
      Thread.sleep(50)
      // The driver is one of them.
      val now = sc.statusTracker.getExecutorInfos.length
      if (now != count) changed = System.nanoTime
      count = now
    }
    sc.defaultParallelism
  }

  /** The bits do not depend on the number of slices. */
  private def slices(
      model: NativeModel,
      optimizer: NativeOptimizer,
      shards: Int
  ): IndexedSeq[SliceRange] = {
    val floats = model.parameterCount
    val most = (floats + LargeSlice - 1) / LargeSlice
    val count = math.max(1, math.max(most, math.min(shards.toLong, floats / SmallSlice))).toInt
    (0 until count).map { n =>
      val range = optimizer.parameterSlice(n, count)
      SliceRange(range(0), range(1))
    }
  }

  /** The task that returns the only element of its partition. */
  private def only[T]: OnlyElement[T] = new OnlyElement[T]
}

private[train] final class OnlyElement[T] extends ((TaskContext, Iterator[T]) => T)
    with Serializable {
  override def apply(context: TaskContext, elements: Iterator[T]): T = elements.next()
}
