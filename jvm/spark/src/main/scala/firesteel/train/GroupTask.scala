package firesteel.train

import java.util.UUID

import scala.annotation.tailrec

import org.apache.spark.TaskContext

/**
 * Several iterations in one task, which waits for the slices of the other tasks instead of for the
 * driver.
 *
 * All tasks of a group run at once or none gets far: one that is repeated, is on the wrong executor,
 * fails, or waits in vain stops the others, and the driver goes back to the group's start.
 *
 * @param steps the iterations
 * @param tree all subtrees with the tasks that have them; those of the only task if there is one
 * @param limitMs longest wait for a slice in milliseconds
 */
private[train] final class GroupTask(
    id: UUID,
    steps: Array[Step],
    tree: Array[OwnedRoot],
    limitMs: Long
) extends PlacedTask[Array[ShardLosses]] {
  private val start = steps.head.iteration

  override protected def run(n: Int, context: TaskContext): Outcome[Array[ShardLosses]] = {
    val host = TrainingHosts(id)
    var isDone = false
    try {
      val outcome =
        if (context.attemptNumber() > 0) Outcome.Unfinished(Nil)
        else host.exclusively(iterate(n, host, context))
      isDone = outcome.isInstanceOf[Outcome.Done[_]]
      outcome
    } finally if (!isDone) host.stopGroup(start)
  }

  override protected def misplaced(): Unit =
    TrainingHosts.find(id).foreach(_.stopGroup(start))

  private def iterate(
      n: Int,
      host: TrainingHost,
      context: TaskContext
  ): Outcome[Array[ShardLosses]] = {
    val patience =
      new Patience(limitMs, () => context.isInterrupted() || host.isGroupStopped(start))

    @tailrec def go(left: List[Step], done: Vector[ShardLosses]): Outcome[Array[ShardLosses]] =
      left match {
        case Nil =>
          if (host.deliver(patience)) Outcome.Done(done.toArray) else Outcome.Unfinished(Nil)
        case step :: rest =>
          one(n, host, step, patience) match {
            case Right(losses) => go(rest, done :+ losses)
            case Left(missing) => Outcome.Unfinished(missing)
          }
      }

    if (host.startGroup(start, patience)) go(steps.toList, Vector.empty)
    else Outcome.Unfinished(Nil)
  }

  /** One iteration; the tasks whose slices did not come, if it did not get to its end. */
  private def one(
      n: Int,
      host: TrainingHost,
      step: Step,
      patience: Patience
  ): Either[Seq[Int], ShardLosses] = {
    def complete(missing: Seq[Int]): Either[Seq[Int], Unit] =
      if (missing.isEmpty && !host.isGroupStopped(start)) Right(()) else Left(missing)

    for {
      _ <- complete(host.awaitWeights(step.iteration, patience))
      _ <- if (host.deliver(patience)) Right(()) else Left(Nil)
      losses = host.learn(step, attempt = 0)
      roots = if (tree.isEmpty) losses.roots.map(OwnedRoot(n, _)) else tree
      _ <- complete(host.awaitGradients(step.iteration, roots.toSeq, patience))
      _ <- complete(host.update(step.iteration, roots.toSeq, attempt = 0))
    } yield losses
  }
}

/** Goes back to the start of a group that did not get to its end. */
private[train] final class RollBackTask(id: UUID, iteration: Long) extends PlacedTask[Unit] {
  override protected def run(n: Int, context: TaskContext): Outcome[Unit] =
    if (TrainingHosts(id).rollBack(iteration)) Outcome.Done(()) else Outcome.Unfinished(Nil)
}
