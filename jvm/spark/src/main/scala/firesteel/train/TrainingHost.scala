package firesteel.train

import org.apache.spark.SparkEnv
import org.apache.spark.firesteel.{Exchange, NativeMemory}

import firesteel.{Conf, NativeMemoryException}
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
  private val weights = native.add(new Generations(model.parameterCount * 4))
  private val states = native.add(new Generations(optimizer.slots * own.bytes))
  private val rows = native.add(new ShardStore(model, spec.loss))
  private val gradients = native.add(new Closing)
  private val timeout =
    Patience.seconds(Conf.ExchangeTimeout.get(SparkEnv.get.conf).getOrElse(120))
  @volatile private var outbox: Option[Outbox] = None
  private var roots: Seq[Root] = Nil
  private var current = -1L
  private var closed = false

  /** Takes the slices that arrive. */
  val slices: SliceStore =
    native.add(new SliceStore(place.task, ranges, spec.shards, weights(_)))

  model.initialWeights(spec.seed, weights(0))
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
    outbox =
      Some(new Outbox(Exchange.of(TrainingHosts).connections(spec.id, spec.token), peers))
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
    if (!idle(timeout)) {
      Outcome.Unfinished(Nil)
    } else if (missing.nonEmpty) {
      Outcome.Unfinished(missing)
    } else {
      keep(step.iteration)
      delivered(learn(step, attempt))
    }
  }

  /** The gradients of the hosted shards, on their way; nothing was underway before. */
  def learn(step: Step, attempt: Int): ShardLosses = synchronized {
    gradients.close()
    slices.advance(step.iteration)
    current = step.iteration
    val losses = worker.forwardBackward(
      weights(step.iteration),
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
    ShardLosses(losses, roots.toArray)
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
      val missing = update(iteration, tree, attempt)
      if (missing.isEmpty) delivered(()) else Outcome.Unfinished(missing)
    }

  /** The own slice of the next weights, on its way; the tasks whose gradients it lacks, if any. */
  def update(iteration: Long, tree: Seq[OwnedRoot], attempt: Int): Seq[Int] = synchronized {
    val next = iteration + 1
    val missing =
      if (slices.hasWeights(next, place.task)) Nil else missingGradients(iteration, tree)
    if (missing.isEmpty) {
      if (!slices.hasWeights(next, place.task)) {
        optimize(iteration, tree, tree.flatMap(gradientOf(iteration, _)))
        slices.publishOwn(next)
      }
      for (sender <- outbox; peer <- others) {
        sender.send(peer, SliceName(SliceKind.Weights, next, place.task), weights(next), own)
      }
      spec.probe.ended(Phase.ParameterSync, iteration, attempt)
    }
    missing
  }

  /** Keeps other tasks away while `work` goes through several iterations. */
  def exclusively[R](work: => R): R = synchronized {
    checkOpen()
    work
  }

  /**
   * Begins a group: the weights and the state of `iteration` stay as they are until it has ended.
   *
   * False if slices are still underway, or the group's memory cannot be had.
   */
  def startGroup(iteration: Long, patience: Patience): Boolean = synchronized {
    begin(iteration)
    idle(patience) && reserve() && {
      keep(iteration)
      true
    }
  }

  /** Waits for an iteration's weights; the tasks whose slices did not come. */
  def awaitWeights(iteration: Long, patience: Patience): Seq[Int] = {
    slices.await(patience)(slices.missingWeights(iteration).isEmpty)
    slices.missingWeights(iteration)
  }

  /** Waits for the own slice of an iteration's gradients; the tasks whose slices did not come. */
  def awaitGradients(iteration: Long, tree: Seq[OwnedRoot], patience: Patience): Seq[Int] = {
    slices.await(patience)(missingGradients(iteration, tree).isEmpty)
    missingGradients(iteration, tree)
  }

  /** Waits until all that was sent has arrived; whether it has. */
  def deliver(patience: Patience): Boolean =
    idle(patience) && outbox.forall(_.takeUnreached().isEmpty)

  /** Stops, here and everywhere, the group that began with `iteration`. */
  def stopGroup(iteration: Long): Unit = {
    slices.stop(iteration)
    for (sender <- outbox; peer <- others) sender.sendStop(peer, iteration)
  }

  /** Whether the group that began with `iteration` cannot get to its end any more. */
  def isGroupStopped(iteration: Long): Boolean =
    slices.isStopped(iteration) || outbox.exists(_.isBroken)

  /** Back to the kept weights and state, those of `iteration`; false if slices are underway. */
  def rollBack(iteration: Long): Boolean = synchronized {
    checkOpen()
    val isIdle = idle(timeout)
    if (isIdle) {
      outbox.foreach(_.takeUnreached())
      slices.rollBack(iteration)
      current = iteration - 1
    }
    isIdle
  }

  /** Measures an iteration's weights with the hosted validation rows. */
  def evaluate(iteration: Long): Evaluation = synchronized {
    checkOpen()
    val datasets = rows.datasets(Role.Validation)
    if (datasets.isEmpty) {
      Evaluation.Empty
    } else {
      val sums = worker.evaluate(weights(iteration), datasets, spec.batchSize)
      Evaluation(sums(0).toLong, sums(1), sums(2).toLong)
    }
  }

  /** Hash of an iteration's weights. */
  def hash(iteration: Long): String = synchronized {
    checkOpen()
    weights(iteration).sha256(model.parameterCount)
  }

  /** A model file with an iteration's weights. */
  def write(iteration: Long): Array[Byte] = synchronized {
    checkOpen()
    model.write(weights(iteration))
  }

  /** Frees all native memory; waits for the task that works, and for slices on their way. */
  override def close(): Unit = synchronized {
    if (!closed) {
      closed = true
      gradients.close()
      if (idle(timeout)) native.close() else slices.close()
      NativeMemory.account(NativeBuffer.allocated())
    }
  }

  private def others: Seq[Int] = ranges.indices.filter(_ != place.task)

  private def idle(patience: Patience): Boolean = outbox.forall(_.awaitAll(patience))

  private def keep(iteration: Long): Unit = {
    weights.keep(iteration)
    states.keep(iteration)
  }

  /** The memory of groups; false, and none is taken, if it cannot be had. */
  private def reserve(): Boolean =
    try {
      Seq(weights, states).foreach(_.grow())
      NativeMemory.account(NativeBuffer.allocated())
      true
    } catch {
      case _: NativeMemoryException =>
        Seq(weights, states).foreach(_.shrink())
        false
    }

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

  private def missingGradients(iteration: Long, tree: Seq[OwnedRoot]): Seq[Int] =
    tree.filterNot(hasGradient(iteration, _)).map(_.task).distinct

  private def hasGradient(iteration: Long, owned: OwnedRoot): Boolean =
    if (owned.task == place.task) current == iteration
    else slices.gradient(iteration, owned.root).isDefined

  private def optimize(
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
      weights(iteration),
      states(iteration),
      weights(next),
      states(next)
    )
    if (place.tasks == 1) slices.publishAll(next)
  }

  private def delivered[R](result: R): Outcome[R] =
    if (!idle(timeout)) {
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
