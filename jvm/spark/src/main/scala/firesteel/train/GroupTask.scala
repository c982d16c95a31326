package firesteel.train

import java.util.UUID

import scala.annotation.tailrec

import org.apache.spark.TaskContext

/**
 * Several iterations in one task, which waits for the slices of the other tasks instead of for the
 * driver.
 *
 * All tasks of a group run at once or none gets far: one that is repeated, is on the wrong executor,
 * fails, or waits in vain stops the others, and the training goes back to the group's start.
 *
 * @param steps the iterations
 * @param needsSums whether the optimizer needs sums over the whole vector
 * @param hashes whether member 0 is to hash the weights at the end
 * @param limitMs longest wait for a slice in milliseconds
 */
private[train] final class GroupTask(
    id: UUID,
    view: Int,
    steps: Array[Step],
    needsSums: Boolean,
    hashes: Boolean,
    limitMs: Long
) extends SeatTask[GroupLosses](id, view, limitMs) {
  private val start = steps.head.iteration

  override protected def work(
      host: TrainingHost,
      seat: Seat,
      context: TaskContext
  ): Outcome[GroupLosses] = {
    var isDone = false
    try {
      val outcome =
        if (context.attemptNumber() > 0) Outcome.Unfinished(Nil) else iterate(host, seat, context)
      isDone = outcome.isInstanceOf[Outcome.Done[_]]
      outcome
    } finally if (!isDone) seat.stopGroup(start)
  }

  override protected def misplaced(): Unit =
    TrainingHosts.find(id).foreach(_.stopGroup(view, start))

  private def iterate(
      host: TrainingHost,
      seat: Seat,
      context: TaskContext
  ): Outcome[GroupLosses] = {
    val patience =
      new Patience(limitMs, () => context.isInterrupted() || seat.isGroupStopped(start))

    @tailrec def go(left: List[Step], done: Vector[ShardLosses]): Outcome[GroupLosses] =
      left match {
        case Nil =>
          val end = steps.last.iteration + 1
          seat.backUp(end)
          val missing = seat.awaitWeights(end, patience)
          if (missing.nonEmpty || !seat.deliver(patience)) Outcome.Unfinished(missing)
          else {
            val hash = Option.when(hashes && seat.n == 0)(host.hash(end))
            Outcome.Done(GroupLosses(done.toArray, hash))
          }
        case step :: rest =>
          one(seat, step, patience) match {
            case Right(losses) => go(rest, done :+ losses)
            case Left(missing) => Outcome.Unfinished(missing)
          }
      }

    if (seat.startGroup(start, patience)) go(steps.toList, Vector.empty)
    else Outcome.Unfinished(Nil)
  }

  /** One iteration; the members whose slices did not come, if it did not get to its end. */
  private def one(seat: Seat, step: Step, patience: Patience): Either[Seq[Int], ShardLosses] = {
    def complete(missing: Seq[Int]): Either[Seq[Int], Unit] =
      if (missing.isEmpty && !seat.isGroupStopped(start)) Right(()) else Left(missing)

    for {
      _ <- complete(seat.awaitWeights(step.iteration, patience))
      _ <- if (seat.deliver(patience)) Right(()) else Left(Nil)
      losses = seat.learn(step, attempt = 0)
      _ <- complete(seat.awaitGradients(step.iteration, patience))
      sums <- if (needsSums) exchangeSums(seat, step, patience) else Right(Array.emptyDoubleArray)
      _ <- complete(seat.update(step, sums, attempt = 0))
    } yield losses
  }

  private def exchangeSums(
      seat: Seat,
      step: Step,
      patience: Patience
  ): Either[Seq[Int], Array[Double]] =
    seat.partialSums(step).flatMap { partial =>
      seat.sendSums(step.iteration, partial)
      seat.awaitSums(step.iteration, partial, patience)
    }
}

/**
 * What a group brought on one executor.
 *
 * @param iterations the losses of each iteration
 * @param hash of the weights at its end, if that was wanted of this member
 */
private[train] final case class GroupLosses(iterations: Array[ShardLosses], hash: Option[String])
