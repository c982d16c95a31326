package firesteel.optim

import firesteel.nn.Json
import firesteel.train.TrainingState

/**
 * When something is done in a training: when it ends, when a checkpoint is written, when the
 * validation rows are measured. The names are BigDL's.
 *
 * A trigger is a pure function of the training's state, so a resumed training does everything at
 * the same iterations as an undisturbed one. It is asked after every iteration (and again after a
 * measurement that the iteration brought).
 *
 * {{{
 * estimator
 *   .setEndWhen(Trigger.or(Trigger.maxEpoch(20), Trigger.maxScore(0.95)))
 *   .setCheckpoint("hdfs:///checkpoints/lenet", Trigger.severalIteration(1000))
 * }}}
 */
sealed abstract class Trigger extends Product with Serializable {

  /** Whether it fires in this state. */
  def apply(state: TrainingState): Boolean

  /**
   * After how many further iterations, 1 or more, it can fire at the earliest as far as no loss
   * makes it fire; `Long.MaxValue` if no number of iterations does.
   *
   * Iterations that are done as a group do not go past it. Scores do not change within a group,
   * since a group also ends where something is measured.
   */
  private[firesteel] def horizon(state: TrainingState): Long

  /**
   * Whether a loss can make it fire before its [[horizon]], so that it must be asked after each
   * iteration of a group.
   */
  private[firesteel] def needsLoss: Boolean

  /** Whether it never fires unless validation rows are measured. */
  private[firesteel] def needsValidation: Boolean = false

  /** The settings by their names in JSON. */
  protected def arguments: Seq[(String, String)]

  /** The trigger as JSON. */
  final def toJson: String = Json.configured(productPrefix, arguments)
}

/** Triggers by the names that BigDL gives their constructors. */
object Trigger {

  /** [[EveryEpoch]]. */
  def everyEpoch: Trigger = EveryEpoch()

  /** [[SeveralIteration]]. */
  def severalIteration(interval: Long): Trigger = SeveralIteration(interval)

  /** [[MaxEpoch]]. */
  def maxEpoch(max: Int): Trigger = MaxEpoch(max)

  /** [[MaxIteration]]. */
  def maxIteration(max: Long): Trigger = MaxIteration(max)

  /** [[MaxScore]]. */
  def maxScore(max: Double): Trigger = MaxScore(max)

  /** [[MinLoss]]. */
  def minLoss(min: Double): Trigger = MinLoss(min)

  /** [[And]]. */
  def and(first: Trigger, others: Trigger*): Trigger = And(first +: others: _*)

  /** [[Or]]. */
  def or(first: Trigger, others: Trigger*): Trigger = Or(first +: others: _*)

  /**
   * The trigger that `json` describes.
   *
   * @throws java.lang.IllegalArgumentException if it describes none
   */
  def fromJson(json: String): Trigger = TriggerJson.read(json)

  private[optim] def positive(name: String, value: Long): Unit =
    if (value < 1)
      throw new IllegalArgumentException(s"$name: expected 1 or more, got $value. Correct it.")
}

/** Fires when an epoch has ended. */
final case class EveryEpoch() extends Trigger {
  override def apply(state: TrainingState): Boolean = state.epochEnded
  override private[firesteel] def horizon(state: TrainingState): Long = state.iterationsToEpochEnd
  override private[firesteel] def needsLoss: Boolean = false
  override protected def arguments: Seq[(String, String)] = Nil
}

/**
 * Fires after `interval`, 2 · `interval`, … iterations, counted from the beginning of the training.
 *
 * @param interval
 *   Number of iterations; at least 1.
 */
final case class SeveralIteration(interval: Long) extends Trigger {
  Trigger.positive("SeveralIteration", interval)

  override def apply(state: TrainingState): Boolean =
    state.iteration > 0 && state.iteration % interval == 0
  override private[firesteel] def horizon(state: TrainingState): Long =
    interval - state.iteration % interval
  override private[firesteel] def needsLoss: Boolean = false
  override protected def arguments: Seq[(String, String)] = Seq("interval" -> interval.toString)
}

/**
 * Fires when `max` epochs are done, and ever after.
 *
 * @param max
 *   Number of epochs; at least 1.
 */
final case class MaxEpoch(max: Int) extends Trigger {
  Trigger.positive("MaxEpoch", max.toLong)

  override def apply(state: TrainingState): Boolean = state.epoch >= max
  override private[firesteel] def horizon(state: TrainingState): Long =
    if (state.epoch >= max) 1
    else (max - state.epoch - 1) * state.iterationsPerEpoch + state.iterationsToEpochEnd
  override private[firesteel] def needsLoss: Boolean = false
  override protected def arguments: Seq[(String, String)] = Seq("max" -> max.toString)
}

/**
 * Fires when `max` iterations are done, and ever after.
 *
 * @param max
 *   Number of iterations; at least 1.
 */
final case class MaxIteration(max: Long) extends Trigger {
  Trigger.positive("MaxIteration", max)

  override def apply(state: TrainingState): Boolean = state.iteration >= max
  override private[firesteel] def horizon(state: TrainingState): Long =
    math.max(1, max - state.iteration)
  override private[firesteel] def needsLoss: Boolean = false
  override protected def arguments: Seq[(String, String)] = Seq("max" -> max.toString)
}

/**
 * Fires while the last score is above `max`: that of the validation rows when they were measured
 * last, which is their accuracy. Without validation it never fires.
 *
 * @param max
 *   Score that must be passed.
 */
final case class MaxScore(max: Double) extends Trigger {
  override def apply(state: TrainingState): Boolean = state.score.exists(_ > max)
  override private[firesteel] def horizon(state: TrainingState): Long =
    if (this(state)) 1 else Long.MaxValue
  override private[firesteel] def needsLoss: Boolean = false
  override private[firesteel] def needsValidation: Boolean = true
  override protected def arguments: Seq[(String, String)] = Seq("max" -> Json.of(max))
}

/**
 * Fires while the mean training loss of the last iteration is below `min`.
 *
 * @param min
 *   Loss that must be passed.
 */
final case class MinLoss(min: Double) extends Trigger {
  override def apply(state: TrainingState): Boolean = state.loss.exists(_ < min)
  override private[firesteel] def horizon(state: TrainingState): Long = Long.MaxValue
  override private[firesteel] def needsLoss: Boolean = true
  override protected def arguments: Seq[(String, String)] = Seq("min" -> Json.of(min))
}

/**
 * Fires when all of its triggers do.
 *
 * @param triggers
 *   At least one.
 */
final case class And(triggers: Trigger*) extends Trigger {
  Trigger.positive("And, number of triggers", triggers.length.toLong)

  override def apply(state: TrainingState): Boolean = triggers.forall(_(state))

  /** No loss can make it fire before those do that do not look at the loss. */
  override private[firesteel] def horizon(state: TrainingState): Long = {
    val steady = triggers.filterNot(_.needsLoss)
    (if (steady.isEmpty) triggers else steady).map(_.horizon(state)).max
  }
  override private[firesteel] def needsLoss: Boolean = triggers.forall(_.needsLoss)
  override private[firesteel] def needsValidation: Boolean = triggers.exists(_.needsValidation)
  override protected def arguments: Seq[(String, String)] =
    Seq("triggers" -> Json.array(triggers.map(_.toJson)))
}

/**
 * Fires when any of its triggers does.
 *
 * @param triggers
 *   At least one.
 */
final case class Or(triggers: Trigger*) extends Trigger {
  Trigger.positive("Or, number of triggers", triggers.length.toLong)

  override def apply(state: TrainingState): Boolean = triggers.exists(_(state))
  override private[firesteel] def horizon(state: TrainingState): Long =
    triggers.map(_.horizon(state)).min
  override private[firesteel] def needsLoss: Boolean = triggers.exists(_.needsLoss)
  override private[firesteel] def needsValidation: Boolean = triggers.forall(_.needsValidation)
  override protected def arguments: Seq[(String, String)] =
    Seq("triggers" -> Json.array(triggers.map(_.toJson)))
}

/**
 * Fires when a monitored value has not got better for some time, as in Keras: when each of the last
 * `patience` values (of the last one, if `patience` is 0) was no better than the best before by
 * more than `minDelta`.
 *
 * @param patience
 *   Number of values without improvement; at least 0.
 * @param minDelta
 *   What counts as an improvement; at least 0.
 * @param monitor
 *   `"val_loss"` and `"val_accuracy"` are those of the validation rows, one value each time they
 *   are measured; `"loss"` is the mean training loss, one value per epoch.
 */
final case class EarlyStopping(
    patience: Int = 0,
    minDelta: Double = 0.0,
    monitor: String = "val_loss"
) extends Trigger {
  if (patience < 0 || !(minDelta >= 0)) {
    throw new IllegalArgumentException(
      s"EarlyStopping: expected patience and minDelta of 0 or more, got $patience and $minDelta. " +
        "Correct them."
    )
  }
  if (!EarlyStopping.Monitors.contains(monitor)) {
    throw new IllegalArgumentException(
      s"""EarlyStopping: expected a monitor of ${EarlyStopping.Monitors.mkString(", ")}, got """ +
        s""""$monitor". Choose one of these."""
    )
  }

  override def apply(state: TrainingState): Boolean = {
    val values = monitor match {
      case "loss" => state.epochs.map(_.loss)
      case "val_loss" => state.measurements.map(_.evaluation.loss)
      case "val_accuracy" => state.measurements.map(-_.evaluation.accuracy)
    }
    val (_, waited) = values.foldLeft((Double.PositiveInfinity, 0)) {
      case ((best, waited), value) =>
        if (value + minDelta < best) (value, 0) else (best, waited + 1)
    }
    waited >= math.max(patience, 1)
  }

  override private[firesteel] def horizon(state: TrainingState): Long =
    if (this(state)) 1
    else if (monitor == "loss") state.iterationsToEpochEnd
    else Long.MaxValue
  override private[firesteel] def needsLoss: Boolean = false
  override private[firesteel] def needsValidation: Boolean = monitor != "loss"
  override protected def arguments: Seq[(String, String)] = Seq(
    "patience" -> Json.of(patience),
    "min_delta" -> Json.of(minDelta),
    "monitor" -> Json.of(monitor)
  )
}

object EarlyStopping {
  private val Monitors: Seq[String] = Seq("val_loss", "val_accuracy", "loss")
}
