package firesteel.optim

import firesteel.nn.Json

/**
 * Falls by powers of ten: `η · 0.1 ^ exponents(e)` in epoch e, counted from 0; after the last exponent
 * it holds on.
 *
 * @param exponents
 *   Exponents of the epochs 0, 1, …; at least one.
 * @param iterationsPerEpoch
 *   Iterations of one epoch, ⌈rows / batch size⌉; at least 1.
 */
final case class EpochDecay(exponents: Seq[Double], iterationsPerEpoch: Long) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "exponents" -> Json.array(exponents.map(Json.of(_: Double))),
    "iterations_per_epoch" -> iterationsPerEpoch.toString
  )
}

object EpochDecay {

  /** The exponents that `decayType` gives for each of the first `epochs` epochs, counted from 0. */
  def of(epochs: Int, iterationsPerEpoch: Long)(decayType: Int => Double): EpochDecay =
    EpochDecay(Seq.tabulate(epochs)(decayType), iterationsPerEpoch)
}

/**
 * Rises linearly, `η + warmUpDelta · i` for the first n = `warmUpIteration` iterations, then falls by
 * powers of ten: `(η + warmUpDelta · n) · 0.1 ^ exponents(e)` in epoch e of the training, counted from
 * 0; after the last exponent it holds on.
 *
 * @param warmUpIteration
 *   Iterations of the rise; 0 is none.
 * @param warmUpDelta
 *   Increase per iteration; at least 0.
 * @param exponents
 *   Exponents of the epochs 0, 1, …; at least one.
 * @param iterationsPerEpoch
 *   Iterations of one epoch, ⌈rows / batch size⌉; at least 1.
 */
final case class EpochDecayWithWarmUp(
    warmUpIteration: Long,
    warmUpDelta: Double,
    exponents: Seq[Double],
    iterationsPerEpoch: Long
) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "warm_up_iteration" -> warmUpIteration.toString,
    "warm_up_delta" -> Json.of(warmUpDelta),
    "exponents" -> Json.array(exponents.map(Json.of(_: Double))),
    "iterations_per_epoch" -> iterationsPerEpoch.toString
  )
}

/**
 * A rate of its own for each of some ranges of epochs. Between two regimes and after the last one the
 * rate of the one before holds on; before the first one it is η.
 *
 * @param regimes
 *   The regimes in their order, at least one.
 * @param iterationsPerEpoch
 *   Iterations of one epoch, ⌈rows / batch size⌉; at least 1.
 */
final case class EpochSchedule(regimes: Seq[Regime], iterationsPerEpoch: Long) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "regimes" -> Json.array(regimes.map(_.toJson)),
    "iterations_per_epoch" -> iterationsPerEpoch.toString
  )
}

/**
 * A range of epochs of an [[EpochSchedule]], counted from 0.
 *
 * @param startEpoch
 *   Its first epoch, after the last one of the regime before.
 * @param endEpoch
 *   Its last epoch.
 * @param learningRate
 *   The rate; at least 0.
 */
final case class Regime(startEpoch: Long, endEpoch: Long, learningRate: Double) {
  private[optim] def toJson: String = Json.obj(
    Seq(
      "start_epoch" -> startEpoch.toString,
      "end_epoch" -> endEpoch.toString,
      "learning_rate" -> Json.of(learningRate)
    )
  )
}

/**
 * Falls to 0 with a power of the epochs left: `η · (1 − e / maxEpochs) ^ power` in epoch e, counted from
 * 0.
 *
 * @param power
 *   Power; above 0. 1 falls linearly.
 * @param maxEpochs
 *   Epochs until the rate is 0, where it stays; at least 1.
 * @param iterationsPerEpoch
 *   Iterations of one epoch, ⌈rows / batch size⌉; at least 1.
 */
final case class PolyEpochDecay(power: Double, maxEpochs: Long, iterationsPerEpoch: Long)
    extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "power" -> Json.of(power),
    "max_epochs" -> maxEpochs.toString,
    "iterations_per_epoch" -> iterationsPerEpoch.toString
  )
}
