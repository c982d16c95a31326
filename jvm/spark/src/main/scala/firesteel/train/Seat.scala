package firesteel.train

import firesteel.NativeMemoryException
import firesteel.jni.NativeBuffer

/**
 * One executor's place in a view: its slice, the optimizer's state of it, a copy of its ward's, and
 * what the other members send.
 *
 * All of an iteration is computed from what is here of the iteration before, which stays as it was,
 * so any part of it may run twice.
 *
 * @param n number of this member
 * @param before the seat in the view before: what both have in common is taken over
 */
private[train] final class Seat(engine: Engine, val view: View, val n: Int, before: Option[Seat]) {
  import engine.{clock, optimizer, slots, spec, weights, worker}

  /** The slice that this member owns. */
  val own: SliceRange = view.slices(n)

  /** The slice of whose state this member keeps a copy. */
  val ward: Option[SliceRange] = view.ward(n).map(view.slices)

  private val inheritedStates = before.filter(_.own == own).map(_.states)
  private val inheritedCopies = before.filter(_.ward == ward).flatMap(_.copies)

  private val states: Generations = inheritedStates.getOrElse(new Generations(slots * own.bytes))
  private val copies: Option[Generations] = ward
    .filter(range => slots * range.bytes > 0)
    .map(range => inheritedCopies.getOrElse(new Generations(slots * range.bytes)))

  private val wire = new GradientWire(optimizer, spec.strategy)

  /** Takes the slices that arrive. */
  val slices: SliceStore =
    new SliceStore(view, n, slots, wire.bytes(own), weights.claim, statePlace)

  private val outbox = new Outbox(spec, view, clock)
  private val gradients = new Closing
  private var roots: Seq[Root] = Nil
  private var current = -1L
  @volatile private var left = false

  /** From now on all begins with `iteration`; what is not taken over of its state is still to come. */
  def begin(iteration: Long): Unit = {
    if (inheritedStates.isEmpty) states.claim(iteration)
    if (inheritedCopies.isEmpty) copies.foreach(_.claim(iteration))
    keep(iteration)
    (weights +: generations).foreach(_.forgetAfter(iteration))
    slices.advance(iteration)
  }

  /** Takes the state from a checkpoint. */
  def restore(checkpoint: Checkpoint, iteration: Long): Unit = {
    checkpoint.readState(own, slots, states(iteration))
    for (range <- ward; copy <- copies) checkpoint.readState(range, slots, copy(iteration))
  }

  /** Writes the state of the own slice. */
  def write(draft: CheckpointDraft): StateSlice =
    draft.writeState(n, view.count, own, slots, states(draft.iteration))

  /** The bytes of what a piece of the vector has of one slot of the own state. */
  def write(iteration: Long, piece: SliceRange, slot: Int): Array[Byte] =
    own.intersect(piece).fold(Array.emptyByteArray) { range =>
      val at = slot * own.bytes + (range.begin - own.begin) * 4
      Pieces.array(states(iteration), at, Math.toIntExact(range.bytes))
    }

  /** A range of one vector of the state before `iteration`, of the own slice or the ward's. */
  def stateAt(iteration: Long, range: SliceRange, slot: Int): Option[(NativeBuffer, Long)] =
    statePlace(SliceName(SliceKind.State, iteration, range, slot = slot))

  /** Nobody works for this view any more: what waits here gives up. */
  def leave(): Unit = {
    left = true
    slices.synchronized(slices.notifyAll())
  }

  /** Whether nothing that is waited for can come any more. */
  def isOver: Boolean = left || outbox.isBroken

  /** Whether the group that began with `iteration` cannot get to its end any more. */
  def isGroupStopped(iteration: Long): Boolean = isOver || slices.isStopped(iteration)

  /** Phase 1: the gradients of the hosted shards, sent slice by slice to their owners. */
  def forwardBackward(step: Step, patience: Patience, attempt: Int): Outcome[ShardLosses] = {
    val missing = slices.missingWeights(step.iteration)
    if (missing.nonEmpty) {
      Outcome.Unfinished(missing)
    } else {
      keep(step.iteration)
      val losses = learn(step, attempt)
      delivered(losses, patience)
    }
  }

  /** The gradients of the hosted shards, on their way; nothing was underway before. */
  def learn(step: Step, attempt: Int): ShardLosses = {
    gradients.close()
    slices.advance(step.iteration)
    current = step.iteration
    val losses = clock.computing(
      worker.forwardBackward(
        weights(step.iteration),
        spec.shards,
        step.iteration,
        step.epoch,
        step.index,
        step.of,
        step.count,
        step.rateFactor
      )
    )
    roots = Root.fromPairs(worker.roots())
    engine.account()
    sendGradients(step.iteration)
    spec.probe.ended(Phase.ForwardBackward, step.iteration, attempt)
    ShardLosses(losses, clock.take())
  }

  /** Phase 2: makes the own slice of the next weights and sends it to all, and its state to the buddy. */
  def parameterSync(
      step: Step,
      sums: Array[Double],
      patience: Patience,
      attempt: Int
  ): Outcome[Unit] = {
    val missing = update(step, sums, attempt)
    if (missing.nonEmpty) {
      Outcome.Unfinished(missing)
    } else {
      backUp(step.iteration + 1)
      delivered((), patience)
    }
  }

  /** What the own slice adds to the sums over the vector; or the members whose gradients it lacks. */
  def partialSums(step: Step): Either[Seq[Int], Array[Double]] = {
    val missing = missingGradients(step.iteration)
    if (missing.nonEmpty) {
      Left(missing)
    } else if (own.floats == 0) {
      Right(Array.emptyDoubleArray)
    } else {
      val (buffers, offsets) = gradientSlices(step.iteration).unzip
      Right(
        optimizer.partialSums(
          n,
          view.count,
          spec.shards,
          step.iteration,
          treePairs,
          buffers.toArray,
          offsets.toArray,
          weights(step.iteration),
          states(step.iteration)
        )
      )
    }
  }

  /** Sends what the own slice adds to the sums over the vector to all. */
  def sendSums(iteration: Long, partial: Array[Double]): Unit = if (own.floats > 0) {
    val buffer = gradients.add(new NativeBuffer(partial.length * 8L))
    val body = buffer.slice(0, partial.length * 8)
    body.asDoubleBuffer.put(partial)
    val name = SliceName(SliceKind.Sums, iteration, own)
    view.others(n).foreach(outbox.send(_, name, body.duplicate()))
  }

  /** The own slice of the next weights, on its way; the members whose gradients it lacks, if any. */
  def update(step: Step, sums: Array[Double], attempt: Int): Seq[Int] = {
    val next = step.iteration + 1
    val missing =
      if (slices.hasOwnWeights(next)) Nil else missingGradients(step.iteration)
    if (missing.isEmpty) {
      if (!slices.hasOwnWeights(next)) {
        clock.computing(optimize(step, sums))
        slices.publish(next, own)
      }
      val name = SliceName(SliceKind.Weights, next, own)
      view.others(n).foreach(outbox.send(_, name, weights(next), own.begin * 4))
      spec.probe.ended(Phase.ParameterSync, step.iteration, attempt)
    }
    missing
  }

  /** Sends the state before `iteration` to the buddy, who keeps a copy. */
  def backUp(iteration: Long): Unit =
    for (buddy <- view.buddy(n); slot <- 0 until slots) {
      val name = SliceName(SliceKind.State, iteration, own, slot = slot)
      outbox.send(buddy, name, states(iteration), slot * own.bytes)
    }

  /**
   * Begins a group: weights and state of `iteration` stay as they are until it has ended.
   *
   * False if slices are still underway, or the group's memory cannot be had.
   */
  def startGroup(iteration: Long, patience: Patience): Boolean =
    outbox.awaitAll(patience) && outbox.connect(view.others(n)) && reserve() && {
      keep(iteration)
      true
    }

  /** Waits for an iteration's weights; the members whose slices did not come. */
  def awaitWeights(iteration: Long, patience: Patience): Seq[Int] = {
    clock.exchanging(slices.await(patience)(slices.missingWeights(iteration).isEmpty))
    slices.missingWeights(iteration)
  }

  /** Waits for the own slice of an iteration's gradients; the members whose slices did not come. */
  def awaitGradients(iteration: Long, patience: Patience): Seq[Int] = {
    clock.exchanging(slices.await(patience)(missingGradients(iteration).isEmpty))
    missingGradients(iteration)
  }

  /** Waits for what all slices add to the sums; in the order of the members, or who is missing. */
  def awaitSums(
      iteration: Long,
      partial: Array[Double],
      patience: Patience
  ): Either[Seq[Int], Array[Double]] = {
    val owners = view.others(n).filter(view.slices(_).floats > 0)
    def missing: Seq[Int] = owners.filter(slices.sumsOf(iteration, _).isEmpty)
    clock.exchanging(slices.await(patience)(missing.isEmpty))
    if (missing.nonEmpty) Left(missing)
    else {
      Right(
        view.members.indices
          .flatMap(m => if (m == n) Some(partial) else slices.sumsOf(iteration, m))
          .flatten
          .toArray
      )
    }
  }

  /** Waits until all that was sent has arrived; whether it has. */
  def deliver(patience: Patience): Boolean =
    clock.exchanging(outbox.awaitAll(patience)) && outbox.takeUnreached().isEmpty

  /** Stops, here and everywhere, the group that began with `iteration`. */
  def stopGroup(iteration: Long): Unit = {
    slices.stop(iteration)
    view.others(n).foreach(outbox.sendStop(_, iteration))
  }

  /** Which of these members do not even answer that something has arrived: they hang. */
  def unresponsive(members: Seq[Int]): Seq[Int] = {
    members.foreach(outbox.sendStop(_, Seat.NoGroup))
    outbox.awaitAll(new Patience(Seat.AnswerMs, () => left))
    members.intersect(outbox.unanswered)
  }

  /** Frees all that `heir` did not take over; nothing is underway any more. */
  def close(heir: Option[Seat]): Unit = {
    leave()
    if (!outbox.awaitAll(Patience.seconds(2))) {
      outbox.breakOff()
      outbox.awaitAll(Patience.seconds(10))
    }
    slices.close()
    gradients.close()
    wire.close()
    val kept = heir.toSeq.flatMap(_.generations)
    generations.filterNot(one => kept.exists(_ eq one)).foreach(_.close())
  }

  private def generations: Seq[Generations] = states +: copies.toSeq

  private def keep(iteration: Long): Unit =
    (weights +: generations).foreach(_.keep(iteration))

  /** The memory of groups; false, and none is taken, if it cannot be had. */
  private def reserve(): Boolean =
    try {
      Seq(weights, states).foreach(_.grow())
      engine.account()
      true
    } catch {
      case _: NativeMemoryException =>
        Seq(weights, states).foreach(_.shrink())
        false
    }

  private def statePlace(name: SliceName): Option[(NativeBuffer, Long)] = {
    def place(range: SliceRange, generations: Generations) =
      Option.when(range.contains(name.range)) {
        val offset = name.slot * range.bytes + (name.range.begin - range.begin) * 4
        (generations.claim(name.iteration), offset)
      }
    place(own, states).orElse(ward.zip(copies).flatMap { case (range, copy) => place(range, copy) })
  }

  private def sendGradients(iteration: Long): Unit =
    for ((root, index) <- roots.zipWithIndex if view.count > 1) {
      val gradient = gradients.add(worker.gradient(index))
      val packed = clock.computing(wire.packed(root, gradient))
      view.others(n).filter(view.slices(_).floats > 0).foreach { peer =>
        val slice = view.slices(peer)
        val name = SliceName(SliceKind.Gradient, iteration, slice, root)
        outbox.send(peer, name, wire.slice(packed, slice))
      }
    }

  private def missingGradients(iteration: Long): Seq[Int] =
    if (own.floats == 0) Nil
    else view.tree.filterNot(hasGradient(iteration, _)).map(_.member).distinct

  private def hasGradient(iteration: Long, owned: OwnedRoot): Boolean =
    if (owned.member == n) current == iteration
    else slices.gradient(iteration, owned.root).isDefined

  /** For each subtree, the buffer with the own slice of its gradient and where the slice begins. */
  private def gradientSlices(iteration: Long): Seq[(NativeBuffer, Long)] =
    view.tree.flatMap { owned =>
      if (owned.member == n) {
        Some((gradients.add(worker.gradient(roots.indexOf(owned.root))), own.begin))
      } else {
        slices.gradient(iteration, owned.root).map { packed =>
          (wire.unpacked(owned.root, own, packed), 0L)
        }
      }
    }

  private def treePairs: Array[Int] =
    view.tree.flatMap(owned => Seq(owned.root.first, owned.root.level)).toArray

  private def optimize(step: Step, sums: Array[Double]): Unit = {
    val (newWeights, newState) =
      (weights.claim(step.iteration + 1), states.claim(step.iteration + 1))
    if (own.floats > 0) {
      val (buffers, offsets) = gradientSlices(step.iteration).unzip
      optimizer.update(
        n,
        view.count,
        spec.shards,
        step.iteration,
        step.rateFactor,
        sums,
        treePairs,
        buffers.toArray,
        offsets.toArray,
        weights(step.iteration),
        states(step.iteration),
        newWeights,
        newState
      )
    }
  }

  private def delivered[R](result: R, patience: Patience): Outcome[R] =
    if (clock.exchanging(outbox.awaitAll(patience)) && outbox.takeUnreached().isEmpty) {
      Outcome.Done(result)
    } else {
      Outcome.Unfinished(outbox.unanswered)
    }
}

private object Seat {

  /** A process that runs, however busy it is, answers within this time. */
  private val AnswerMs = 500L

  private val NoGroup = -1L
}
