package firesteel.train

import org.apache.spark.internal.Logging

/** The checkpoints of a training, as its settings want them. */
private[train] final class Checkpoints(settings: CheckpointSettings, store: CheckpointStore)
    extends Logging {

  /**
   * The checkpoint that the training goes on with, if there is one.
   *
   * @throws CheckpointException if it is to begin anew where there are some already
   */
  def begin(): Option[Checkpoint] =
    if (settings.resume) latest()
    else {
      store.requireEmpty()
      None
    }

  /** The newest one; the one before it if it is damaged. */
  def latest(): Option[Checkpoint] = store.latest(fallBack = true)

  /** The one before `damaged`. */
  def before(damaged: Checkpoint): Option[Checkpoint] =
    store.latest(fallBack = true, before = damaged.manifest.state.iteration)

  /**
   * The state in which a checkpoint leaves a training with this identity.
   *
   * @throws CheckpointException if the training is another one
   */
  def stateOf(
      checkpoint: Checkpoint,
      identity: TrainingIdentity,
      iterationsPerEpoch: Long
  ): TrainingState = {
    val saved = checkpoint.manifest
    identity.checkResume(saved.identity, checkpoint.path.toString, settings.allowChanges)
    if (identity.takesOtherRows(saved.identity)) saved.state.restartEpoch(iterationsPerEpoch)
    else saved.state
  }

  /** Writes one if it is time to. */
  def save(state: TrainingState, identity: TrainingIdentity, session: TrainingSession): Unit =
    if (settings.trigger(state)) {
      val (draft, parts) = session.checkpoint(store)
      try {
        val weights = parts.flatMap(_.weights).head
        store.commit(draft, identity, state, weights, parts.head.slots, parts.map(_.slice))
        logInfo(s"checkpoint of iteration ${state.iteration}, weights ${weights._2}")
      } catch {
        case e: Throwable =>
          store.abandon(draft)
          throw e
      }
    }
}

/**
 * What an executor wrote of a checkpoint.
 *
 * @param slots number of the optimizer's state vectors
 * @param weights the file of the weights and their hash, of the member that wrote it
 */
private[train] final case class CheckpointPart(
    slots: Int,
    slice: StateSlice,
    weights: Option[(CheckpointFile, String)]
)
