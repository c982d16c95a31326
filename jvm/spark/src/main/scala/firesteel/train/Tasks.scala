package firesteel.train

import java.util.UUID

import org.apache.spark.TaskContext
import org.apache.spark.firesteel.Exchange

import firesteel.NativeException
import firesteel.jni.Histogram

/**
 * Allocates the training on executors.
 *
 * Returns where each one receives slices, or why it cannot take part.
 *
 * @param threads threads to compute with; the executor's cores if not given
 */
private[train] final class OpenTask(spec: TrainingSpec, threads: Option[Int], cores: Seq[Int])
    extends PlacedTask[Either[NativeException, Option[Address]]] {

  override protected def run(
      n: Int,
      context: TaskContext
  ): Outcome[Either[NativeException, Option[Address]]] =
    Outcome.Done(
      try {
        TrainingHosts.open(spec, threads.getOrElse(cores(n)))
        Right(Option.unless(PlacedTask.isDriver)(Exchange.of(TrainingHosts).address))
      } catch {
        case e: NativeException => Left(e)
        case e: LinkageError => Left(new NativeException(e.toString, e))
      }
    )
}

/** Frees the training on its executors. */
private[train] final class ReleaseTask(id: UUID) extends PlacedTask[Unit] {
  override protected def run(n: Int, context: TaskContext): Outcome[Unit] =
    Outcome.Done(TrainingHosts.release(id))
}

/** Work for a training, whoever is part of the view. */
private[train] abstract class HostTask[R](id: UUID) extends PlacedTask[R] {
  protected def work(n: Int, host: TrainingHost, context: TaskContext): Outcome[R]

  /** What a task that does not find the training answers: the executor has lost it. */
  final override protected def run(n: Int, context: TaskContext): Outcome[R] =
    TrainingHosts.find(id).fold[Outcome[R]](Outcome.Unfinished(Seq(n)))(work(n, _, context))
}

/** Sends state and weights from a view to the next. */
private[train] final class MoveTask(
    id: UUID,
    from: Int,
    to: View,
    iteration: Long,
    moves: Seq[Seq[Move]],
    limitMs: Long
) extends HostTask[Unit](id) {
  override protected def work(n: Int, host: TrainingHost, context: TaskContext): Outcome[Unit] =
    host.move(from, to, iteration, moves(n), new Patience(limitMs, () => context.isInterrupted()))
}

/**
 * Work within a view, by one of its members.
 *
 * @param limitMs longest wait for others in milliseconds
 */
private[train] abstract class SeatTask[R](id: UUID, view: Int, limitMs: Long)
    extends HostTask[R](id) {
  protected def work(host: TrainingHost, seat: Seat, context: TaskContext): Outcome[R]

  final override protected def work(
      n: Int,
      host: TrainingHost,
      context: TaskContext
  ): Outcome[R] = host.exclusively(view)(work(host, _, context))

  /** Waits for what arrives in a seat, but not for what cannot come any more. */
  protected def patience(seat: Seat, context: TaskContext): Patience =
    new Patience(limitMs, () => context.isInterrupted() || seat.isOver)
}

/** Phase 1 of an iteration: forward, backward, gradient slices to their owners. */
private[train] final class ForwardBackwardTask(id: UUID, view: Int, step: Step, limitMs: Long)
    extends SeatTask[ShardLosses](id, view, limitMs) {
  override protected def work(
      host: TrainingHost,
      seat: Seat,
      context: TaskContext
  ): Outcome[ShardLosses] =
    seat.forwardBackward(step, patience(seat, context), context.attemptNumber())
}

/** Between the phases: what each slice adds to the sums over the vector. */
private[train] final class PartialSumsTask(id: UUID, view: Int, step: Step)
    extends SeatTask[Array[Double]](id, view, 0) {
  override protected def work(
      host: TrainingHost,
      seat: Seat,
      context: TaskContext
  ): Outcome[Array[Double]] =
    seat.partialSums(step).fold(Outcome.Unfinished(_), Outcome.Done(_))
}

/** Phase 2 of an iteration: sum the own slice, update it, send it to all. */
private[train] final class ParameterSyncTask(
    id: UUID,
    view: Int,
    step: Step,
    sums: Array[Double],
    limitMs: Long
) extends SeatTask[Unit](id, view, limitMs) {
  override protected def work(host: TrainingHost, seat: Seat, context: TaskContext): Outcome[Unit] =
    seat.parameterSync(step, sums, patience(seat, context), context.attemptNumber())
}

/** Both phases in one task: for the only member there is nobody to wait for in between. */
private[train] final class LoneIterationTask(id: UUID, view: Int, step: Step)
    extends SeatTask[ShardLosses](id, view, 0) {
  override protected def work(
      host: TrainingHost,
      seat: Seat,
      context: TaskContext
  ): Outcome[ShardLosses] = {
    val waiting = patience(seat, context)
    seat.forwardBackward(step, waiting, context.attemptNumber()) match {
      case done: Outcome.Done[ShardLosses] =>
        seat.partialSums(step) match {
          case Right(sums) =>
            seat.parameterSync(step, sums, waiting, context.attemptNumber()) match {
              case Outcome.Done(_) => done
              case other: Outcome[Nothing @unchecked] => other
            }
          case Left(missing) => Outcome.Unfinished(missing)
        }
      case other => other
    }
  }
}

/** What a member does with what it has, without waiting for others. */
private[train] final class SeatWork[R](
    id: UUID,
    view: Int,
    what: (TrainingHost, Seat) => R
) extends SeatTask[R](id, view, 0) {
  override protected def work(host: TrainingHost, seat: Seat, context: TaskContext): Outcome[R] =
    Outcome.Done(what(host, seat))
}

private[train] object SeatWork {

  /** Measures the weights of an iteration with each hosted shard of the validation rows. */
  def evaluate(iteration: Long): (TrainingHost, Seat) => Array[Evaluation] =
    (host, _) => host.evaluate(iteration)

  /** Asks some members for a sign of life; the numbers of those that give none. */
  def ping(members: Seq[Int]): (TrainingHost, Seat) => Seq[Int] =
    (_, seat) => seat.unresponsive(members)

  /** Hashes the weights of an iteration. */
  def hash(iteration: Long): (TrainingHost, Seat) => String = (host, _) => host.hash(iteration)

  /** Looks how the weights of an iteration are distributed in some ranges. */
  def histograms(
      iteration: Long,
      ranges: Seq[ParameterRange]
  ): (TrainingHost, Seat) => Array[Histogram] = (host, _) => host.histograms(iteration, ranges)

  /** Writes a checkpoint's files. */
  def checkpoint(draft: CheckpointDraft): (TrainingHost, Seat) => CheckpointPart =
    (host, seat) => host.write(seat, draft)

  /** Brings a piece of the weights of an iteration to the driver, or of their average. */
  def write(
      iteration: Long,
      piece: SliceRange,
      averageSlot: Option[Int]
  ): (TrainingHost, Seat) => Array[Byte] =
    (host, seat) =>
      averageSlot.fold(host.write(iteration, piece))(seat.write(iteration, piece, _))
}
