package firesteel.train

import java.util.UUID

import org.apache.spark.TaskContext
import org.apache.spark.firesteel.Exchange

import firesteel.NativeException

/**
 * Allocates the training on its executors and starts their exchanges.
 *
 * Returns each one's address, if there are others to send to, or why it cannot take part.
 */
private[train] final class OpenTask(spec: TrainingSpec, places: IndexedSeq[Place])
    extends PlacedTask[Either[NativeException, Option[Address]]] {

  override protected def run(
      n: Int,
      context: TaskContext
  ): Outcome[Either[NativeException, Option[Address]]] =
    Outcome.Done(
      try {
        TrainingHosts.open(spec, places(n))
        Right(if (places.length > 1) Some(Exchange.of(TrainingHosts).address) else None)
      } catch {
        case e: NativeException => Left(e)
        case e: LinkageError => Left(new NativeException(e.toString, e))
      }
    )
}

/** Tells the executors each other's addresses. */
private[train] final class ConnectTask(id: UUID, peers: IndexedSeq[Address])
    extends PlacedTask[Unit] {
  override protected def run(n: Int, context: TaskContext): Outcome[Unit] =
    Outcome.Done(TrainingHosts(id).connect(peers))
}

/** Frees the training on its executors. */
private[train] final class ReleaseTask(id: UUID) extends PlacedTask[Unit] {
  override protected def run(n: Int, context: TaskContext): Outcome[Unit] =
    Outcome.Done(TrainingHosts.release(id))
}

/** Phase 1 of an iteration: forward, backward, gradient slices to their owners. */
private[train] final class ForwardBackwardTask(id: UUID, step: Step)
    extends PlacedTask[ShardLosses] {
  override protected def run(n: Int, context: TaskContext): Outcome[ShardLosses] =
    TrainingHosts(id).forwardBackward(step, context.attemptNumber())
}

/** Phase 2 of an iteration: sum the own slice, update it, send it to all. */
private[train] final class ParameterSyncTask(id: UUID, iteration: Long, tree: Array[OwnedRoot])
    extends PlacedTask[Unit] {
  override protected def run(n: Int, context: TaskContext): Outcome[Unit] =
    TrainingHosts(id).parameterSync(iteration, tree.toSeq, context.attemptNumber())
}

/** Both phases in one task: for the only executor there is nobody to wait for in between. */
private[train] final class LoneIterationTask(id: UUID, step: Step) extends PlacedTask[ShardLosses] {
  override protected def run(n: Int, context: TaskContext): Outcome[ShardLosses] = {
    val host = TrainingHosts(id)
    host.forwardBackward(step, context.attemptNumber()) match {
      case done @ Outcome.Done(losses) =>
        val tree = losses.roots.map(OwnedRoot(n, _)).toSeq
        host.parameterSync(step.iteration, tree, context.attemptNumber()) match {
          case Outcome.Done(_) => done
          case unfinished: Outcome.Unfinished => unfinished
          case misplaced: Outcome.Misplaced => misplaced
        }
      case other => other
    }
  }
}

/** Measures the weights of an iteration with the validation rows. */
private[train] final class EvaluateTask(id: UUID, iteration: Long) extends PlacedTask[Evaluation] {
  override protected def run(n: Int, context: TaskContext): Outcome[Evaluation] =
    Outcome.Done(TrainingHosts(id).evaluate(iteration))
}

/** Hashes the weights of an iteration. */
private[train] final class HashTask(id: UUID, iteration: Long) extends PlacedTask[String] {
  override protected def run(n: Int, context: TaskContext): Outcome[String] =
    Outcome.Done(TrainingHosts(id).hash(iteration))
}

/** Makes a model file of the weights of an iteration. */
private[train] final class WriteTask(id: UUID, iteration: Long) extends PlacedTask[Array[Byte]] {
  override protected def run(n: Int, context: TaskContext): Outcome[Array[Byte]] =
    Outcome.Done(TrainingHosts(id).write(iteration))
}
