package firesteel.train

import org.apache.spark.SparkEnv
import org.apache.spark.firesteel.{Exchange, NativeMemory}

import firesteel.Conf
import firesteel.data.{Role, ShardStore}
import firesteel.jni._

/**
 * One executor's part of a training: its shards, the weights of this and of the next iteration, its
 * slice of the optimizer's state, the slices of the others.
 *
 * Tasks are stateless: all of an iteration is computed from what is here of the iteration before,
 * which stays as it was, so a task may run twice. One task works at a time.
 */
private[train] final class TrainingHost private (
    val spec: TrainingSpec,
    place: Place,
    native: Closing
) extends AutoCloseable {
  private val model = native.add(NativeModel.define(spec.definition))
  private val worker =
    native.add(new NativeWorker(model, spec.loss, place.threads, spec.seed))
  private val optimizer = native.add(new NativeOptimizer(model, spec.optimizer, place.threads))
  private val ranges = IndexedSeq.tabulate(place.tasks) { n =>
    val slice = NativeOptimizer.slice(n, place.tasks, model.parameterCount)
    SliceRange(slice(0), slice(1))
  }
  private val own = ranges(place.task)
  private val weights = twice(model.parameterCount * 4)
  private val states = twice(optimizer.slots * own.bytes)
  private val rows = native.add(new ShardStore(model, spec.loss))
  private val gradients = native.add(new Closing)
  private var outbox: Option[Outbox] = None
  private var roots: Seq[Root] = Nil
  private var current = -1L
  private var closed = false

  /** Takes the slices that arrive. */
  val slices: SliceStore =
    native.add(new SliceStore(place.task, ranges, spec.shards, weightsOf))

  model.initialWeights(spec.seed, weightsOf(0))
  slices.publishAll(0)
  NativeMemory.account(NativeBuffer.allocated())

  /** Where the tasks of this training receive slices. */
  def connect(peers: IndexedSeq[Address]): Unit = synchronized {
    if (ranges.exists(_.bytes > Int.MaxValue)) {
      throw new TrainingException(
        s"training ${spec.id}: expected slices below 2 GiB, got ${own.bytes} bytes. Use more " +
          s"executors than ${place.tasks}."
      )
    }
    val timeout = Conf.ExchangeTimeout.get(SparkEnv.get.conf).getOrElse(120)
    outbox = Some(new Outbox(spec, Exchange.of(TrainingHosts), peers, timeout))
  }

  /** Takes the rows of a shard; their number. */
  def load(role: Role, shard: Int, chunks: Iterator[Array[Byte]]): Long = synchronized {
    checkOpen()
    val dataset = rows.load(role, shard, chunks)
    if (role == Role.Training) worker.setShard(shard, dataset)
    dataset.rows
  }

  /** Phase 1: the gradients of the hosted shards, sent slice by slice to their owners. */
  def forwardBackward(step: Step, attempt: Int): Outcome[ShardLosses] = synchronized {
    begin(step.iteration)
    val missing = slices.missingWeights(step.iteration)
    if (!idle) {
      Outcome.Unfinished(Nil)
    } else if (missing.nonEmpty) {
      Outcome.Unfinished(missing)
    } else {
      gradients.close()
      slices.advance(step.iteration)
      current = step.iteration
      val losses = worker.forwardBackward(
        weightsOf(step.iteration),
        spec.shards,
        step.iteration,
        step.epoch,
        step.index,
        step.of,
        step.count
      )
      roots = Root.fromPairs(worker.roots())
      NativeMemory.account(NativeBuffer.allocated())
      sendGradients(step.iteration)
      spec.probe.ended(Phase.ForwardBackward, step.iteration, attempt)
      delivered(ShardLosses(losses, roots.toArray))
    }
  }

  /**
   * Phase 2: the own slice of all gradients, summed along the tree, makes the own slice of the next
   * weights, which is sent to all.
   *
   * @param tree all subtrees, with the tasks that have them
   */
  def parameterSync(iteration: Long, tree: Seq[OwnedRoot], attempt: Int): Outcome[Unit] =
    synchronized {
      begin(iteration)
      val next = iteration + 1
      if (!slices.hasWeights(next, place.task)) {
        val sources = tree.map(owned => gradientOf(iteration, owned))
        val missing = tree.zip(sources).collect { case (owned, None) => owned.task }.distinct
        if (missing.nonEmpty) return Outcome.Unfinished(missing)
        update(iteration, tree, sources.flatten)
        slices.publishOwn(next)
      }
      outbox.foreach { sender =>
        others.foreach { peer =>
          val name = SliceName(SliceKind.Weights, next, place.task)
          sender.send(peer, name, weightsOf(next), own)
        }
      }
      spec.probe.ended(Phase.ParameterSync, iteration, attempt)
      delivered(())
    }

  /** Measures an iteration's weights with the hosted validation rows. */
  def evaluate(iteration: Long): Evaluation = synchronized {
    checkOpen()
    val datasets = rows.datasets(Role.Validation)
    if (datasets.isEmpty) {
      Evaluation.Empty
    } else {
      val sums = worker.evaluate(weightsOf(iteration), datasets, spec.batchSize)
      Evaluation(sums(0).toLong, sums(1), sums(2).toLong)
    }
  }

  /** Hash of an iteration's weights. */
  def hash(iteration: Long): String = synchronized {
    checkOpen()
    weightsOf(iteration).sha256(model.parameterCount)
  }

  /** A model file with an iteration's weights. */
  def write(iteration: Long): Array[Byte] = synchronized {
    checkOpen()
    model.write(weightsOf(iteration))
  }

  /** Frees all native memory; waits for the task that works, and for slices on their way. */
  override def close(): Unit = synchronized {
    if (!closed) {
      closed = true
      gradients.close()
      if (idle) native.close() else slices.close()
      NativeMemory.account(NativeBuffer.allocated())
    }
  }

  private def weightsOf(iteration: Long): NativeBuffer = weights((iteration % 2).toInt)

  private def others: Seq[Int] = ranges.indices.filter(_ != place.task)

  private def idle: Boolean = outbox.forall(_.awaitAll())

  private def twice(bytes: Long): Array[NativeBuffer] =
    Array.fill(2)(native.add(new NativeBuffer(bytes)))

  private def checkOpen(): Unit =
    if (closed)
      throw new IllegalStateException(s"training ${spec.id}: it has ended on this executor.")

  private def begin(iteration: Long): Unit = {
    checkOpen()
    if (iteration < current) {
      throw new IllegalStateException(
        s"training ${spec.id}: iteration $iteration is over, $current is running."
      )
    }
  }

  private def sendGradients(iteration: Long): Unit =
    for (sender <- outbox; (root, index) <- roots.zipWithIndex) {
      val gradient = gradients.add(worker.gradient(index))
      others.foreach { peer =>
        sender.send(
          peer,
          SliceName(SliceKind.Gradient, iteration, peer, root),
          gradient,
          ranges(peer)
        )
      }
    }

  /** The buffer with the own slice of a gradient, and where in it the slice begins. */
  private def gradientOf(iteration: Long, owned: OwnedRoot): Option[(NativeBuffer, Long)] =
    if (owned.task != place.task) {
      slices.gradient(iteration, owned.root).map((_, 0L))
    } else if (current == iteration) {
      Some((gradients.add(worker.gradient(roots.indexOf(owned.root))), own.begin))
    } else {
      None
    }

  private def update(
      iteration: Long,
      tree: Seq[OwnedRoot],
      sources: Seq[(NativeBuffer, Long)]
  ): Unit = {
    val next = iteration + 1
    val (buffers, offsets) = sources.unzip
    optimizer.update(
      place.task,
      place.tasks,
      spec.shards,
      iteration,
      tree.flatMap(owned => Seq(owned.root.first, owned.root.level)).toArray,
      buffers.toArray,
      offsets.toArray,
      weightsOf(iteration),
      states((iteration % 2).toInt),
      weightsOf(next),
      states((next % 2).toInt)
    )
    if (place.tasks == 1) slices.publishAll(next)
  }

  private def delivered[R](result: R): Outcome[R] =
    if (!idle) {
      Outcome.Unfinished(Nil)
    } else if (outbox.exists(_.takeUnreached().nonEmpty)) {
      Outcome.Unfinished(Nil)
    } else {
      Outcome.Done(result)
    }
}

private[train] object TrainingHost {

  /**
   * Allocates all that the training needs on this executor.
   *
   * @throws firesteel.NativeLoadException if the native library cannot be loaded
   * @throws firesteel.NativeMemoryException if the memory cannot be had; nothing is left behind then
   */
  def apply(spec: TrainingSpec, place: Place): TrainingHost = {
    val native = new Closing
    try new TrainingHost(spec, place, native)
    catch {
      case e: Throwable =>
        native.close()
        throw e
    }
  }
}
