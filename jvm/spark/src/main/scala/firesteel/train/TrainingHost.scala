package firesteel.train

import org.apache.spark.SparkEnv
import org.apache.spark.firesteel.Exchange

import firesteel.data.Role
import firesteel.jni.{Histogram, NativeHistogram}

/**
 * One executor's part of a training, through all views.
 *
 * The cluster changes in two steps: the executor joins the next view, beside the seat that it has,
 * which nobody works with any more but from which state is moved; the first work in the next view
 * settles it there. One task works at a time.
 */
private[train] final class TrainingHost(val spec: TrainingSpec, threads: Int)
    extends AutoCloseable {
  private val engine = new Engine(spec, threads)
  @volatile private var seat: Option[Seat] = None
  @volatile private var joining: Option[Seat] = None
  @volatile private var closed = false

  /** Takes the slices that arrive in a view, if this executor is part of it. */
  def slices(view: Int): Option[SliceStore] =
    (joining ++ seat).find(_.view.number == view).map(_.slices)

  /** Works in a view while no other task does; the view is over if `Unfinished`. */
  def exclusively[R](view: Int)(work: Seat => Outcome[R]): Outcome[R] = synchronized {
    checkOpen()
    settle(view)
    seat.filter(_.view.number == view && joining.isEmpty).fold[Outcome[R]](Outcome.Unfinished(Nil))(
      work
    )
  }

  /**
   * Takes a place in the next view.
   *
   * @param from number of the view that the training comes from, if there is one
   * @param start where weights and state come from
   */
  def join(view: View, n: Int, from: Option[Int], iteration: Long, start: Start): Unit = {
    (seat ++ joining).filter(_.view.number != view.number).foreach(_.leave())
    synchronized {
      checkOpen()
      if (!joining.exists(_.view.number == view.number)) {
        from.foreach(settle)
        joining.foreach(_.close(seat))
        joining = None
        if (from.isEmpty) {
          seat.foreach(_.close(None))
          seat = None
        }
        breakOffGone(view)
        joining = Some(seated(view, n, iteration, start))
        engine.account()
      }
    }
  }

  /** Stops the group of a view that began with `iteration`; does not wait for the task that works. */
  def stopGroup(view: Int, iteration: Long): Unit =
    seat.filter(_.view.number == view).foreach(_.stopGroup(iteration))

  /** Takes the rows of a shard; their number. */
  def load(role: Role, shard: Int, chunks: Iterator[Array[Byte]]): Long = synchronized {
    checkOpen()
    val dataset = engine.rows.load(role, shard, chunks)
    if (role == Role.Training) engine.worker.setShard(shard, dataset)
    dataset.rows
  }

  /** Sends state and weights of a view to the members of the next; whether all has arrived. */
  def move(
      from: Int,
      to: View,
      iteration: Long,
      moves: Seq[Move],
      patience: Patience
  ): Outcome[Unit] = synchronized {
    checkOpen()
    if (!joining.exists(_.view.number == to.number)) settle(from)
    seat.filter(_.view.number == from) match {
      case None => Outcome.Unfinished(Nil)
      case Some(source) =>
        val outbox = new Outbox(spec, to, engine.clock)
        moves.foreach(move(source, to, iteration, _, outbox))
        if (!outbox.awaitAll(patience)) {
          outbox.breakOff()
          outbox.awaitAll(patience)
        }
        val unreached = outbox.takeUnreached()
        if (unreached.isEmpty) Outcome.Done(()) else Outcome.Unfinished(unreached)
    }
  }

  /** Measures an iteration's weights with each hosted shard of the validation rows. */
  def evaluate(iteration: Long): Array[Evaluation] =
    engine.rows
      .datasets(Role.Validation)
      .map { dataset =>
        Evaluation.of(
          engine.worker.evaluate(engine.weights(iteration), Array(dataset), spec.batchSize)
        )
      }

  /** Hash of an iteration's weights. */
  def hash(iteration: Long): String =
    engine.weights(iteration).sha256(engine.model.parameterCount)

  /** How an iteration's weights are distributed in some ranges. */
  def histograms(iteration: Long, ranges: Seq[ParameterRange]): Array[Histogram] =
    ranges
      .map(range => NativeHistogram.of(engine.weights(iteration), range.offset, range.length))
      .toArray

  /** The bytes of a piece of an iteration's weights, as they lie in a model file. */
  def write(iteration: Long, piece: SliceRange): Array[Byte] =
    Pieces.array(engine.weights(iteration), piece.begin * 4, Math.toIntExact(piece.bytes))

  /** Writes this executor's part of a checkpoint. */
  def write(seat: Seat, draft: CheckpointDraft): CheckpointPart = {
    val weights = Option.when(seat.n == 0) {
      draft.writeWeights(engine.model, engine.weights(draft.iteration))
    }
    CheckpointPart(engine.slots, seat.write(draft), weights)
  }

  /** Frees all native memory; waits for the task that works, and for slices on their way. */
  override def close(): Unit = {
    (seat ++ joining).foreach(_.leave())
    synchronized {
      if (!closed) {
        closed = true
        joining.foreach(_.close(seat))
        seat.foreach(_.close(None))
        engine.close()
      }
    }
  }

  private def seated(view: View, n: Int, iteration: Long, start: Start): Seat = {
    val next = new Seat(engine, view, n, seat)
    try {
      start match {
        case Start.Initial =>
          engine.model.initialWeights(spec.seed, engine.weights.claim(iteration))
          next.begin(iteration)
          next.slices.publishAll(iteration)
        case Start.Saved(checkpoint) =>
          checkpoint.readWeights(engine.model, engine.weights.claim(iteration))
          next.begin(iteration)
          next.restore(checkpoint, iteration)
          next.slices.publishAll(iteration)
        case Start.Newcomer =>
          engine.weights.claim(iteration)
          next.begin(iteration)
        case Start.Member =>
          next.begin(iteration)
          next.slices.publishAll(iteration)
      }
      next
    } catch {
      case e: Throwable =>
        next.close(seat)
        throw e
    }
  }

  private def move(source: Seat, to: View, iteration: Long, move: Move, outbox: Outbox): Unit =
    move match {
      case Move.Weights(_, member, range) =>
        val name = SliceName(SliceKind.Weights, iteration, range)
        outbox.send(member, name, engine.weights(iteration), range.begin * 4)
      case Move.State(_, member, range) =>
        val own = joining.filter(one => one.view.number == to.number && one.n == member)
        for {
          slot <- 0 until engine.slots
          (buffer, offset) <- source.stateAt(iteration, range, slot)
        } own match {
          case None =>
            val name = SliceName(SliceKind.State, iteration, range, slot = slot)
            outbox.send(member, name, buffer, offset)
          case Some(seat) =>
            seat.stateAt(iteration, range, slot).foreach { case (into, at) =>
              into.copyFrom(at, buffer, offset, range.bytes)
            }
        }
    }

  /** The place in a view that was joined becomes the only one. */
  private def settle(view: Int): Unit = joining.filter(_.view.number == view).foreach { next =>
    seat.foreach(_.close(Some(next)))
    seat = Some(next)
    joining = None
    engine.drop(next.view.hosted(next.n))
  }

  /** Ends the connections to executors that the next view does not have: they may never answer. */
  private def breakOffGone(next: View): Unit = {
    val stay = next.members.map(_.address).toSet
    seat.toSeq.flatMap(_.view.members.map(_.address)).filterNot(stay).flatten.foreach { gone =>
      Exchange.of(TrainingHosts).connections(spec.id, spec.token).disconnect(gone)
    }
  }

  private def checkOpen(): Unit =
    if (closed)
      throw new IllegalStateException(
        s"training ${spec.id}: it has ended on executor ${SparkEnv.get.executorId}."
      )
}
