package firesteel.optim

import firesteel.nn.Json

/**
 * How the learning rate changes from iteration to iteration, as a function of the optimizer's
 * `learningRate` η and the number i of iterations done.
 */
abstract class Schedule private[optim] extends Product with Serializable {

  /** The settings by their names in JSON. */
  protected def arguments: Seq[(String, String)]

  /** The schedule as JSON. */
  final def toJson: String =
    Json.obj(Seq("class" -> Json.of(productPrefix), "config" -> Json.obj(arguments)))
}

/**
 * Falls with 1 over the iterations: `η / (1 + decay · i)`. The `decay` of an optimizer is short for
 * it.
 *
 * @param decay
 *   Decay per iteration; at least 0.
 */
final case class Default(decay: Double = 0.0) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq("decay" -> Json.of(decay))
}

/** Stays: η. */
final case class Fixed() extends Schedule {
  override protected def arguments: Seq[(String, String)] = Nil
}

/**
 * Falls to 0 with a power of the iterations left: `η · (1 − i / maxIteration) ^ power`.
 *
 * @param power
 *   Power; above 0. 1 falls linearly.
 * @param maxIteration
 *   Iterations until the rate is 0, where it stays; at least 1.
 */
final case class Poly(power: Double, maxIteration: Long) extends Schedule {
  override protected def arguments: Seq[(String, String)] =
    Seq("power" -> Json.of(power), "max_iteration" -> maxIteration.toString)
}

/**
 * Falls by a factor every so many iterations: `η · gamma ^ ⌊i / stepSize⌋`.
 *
 * @param stepSize
 *   Iterations between two steps; at least 1.
 * @param gamma
 *   Factor of a step; at least 0.
 */
final case class Step(stepSize: Long, gamma: Double) extends Schedule {
  override protected def arguments: Seq[(String, String)] =
    Seq("step_size" -> stepSize.toString, "gamma" -> Json.of(gamma))
}

/**
 * Falls by a factor at given iterations: `η · gammaᵏ`, k being how many of them are at most i.
 *
 * @param stepSizes
 *   Iterations at which the rate falls, in rising order.
 * @param gamma
 *   Factor of a step; at least 0.
 */
final case class MultiStep(stepSizes: Seq[Long], gamma: Double) extends Schedule {
  override protected def arguments: Seq[(String, String)] =
    Seq("step_sizes" -> Json.array(stepSizes.map(_.toString)), "gamma" -> Json.of(gamma))
}

/**
 * Falls by a factor every so many epochs: `η · gamma ^ ⌊e / stepSize⌋` after e whole epochs.
 *
 * @param stepSize
 *   Epochs between two steps; at least 1.
 * @param gamma
 *   Factor of a step; at least 0.
 * @param iterationsPerEpoch
 *   Iterations of one epoch, ⌈rows / batch size⌉; at least 1.
 */
final case class EpochStep(stepSize: Long, gamma: Double, iterationsPerEpoch: Long)
    extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "step_size" -> stepSize.toString,
    "gamma" -> Json.of(gamma),
    "iterations_per_epoch" -> iterationsPerEpoch.toString
  )
}

/**
 * Falls exponentially by a given factor: `η · decayRate ^ (i / decayStep)`.
 *
 * @param decayStep
 *   Iterations after which the rate has changed by the factor; at least 1.
 * @param decayRate
 *   Factor; at least 0.
 * @param staircase
 *   Whether the exponent is rounded down, so that the rate changes every `decayStep` iterations.
 */
final case class Exponential(decayStep: Long, decayRate: Double, staircase: Boolean = false)
    extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "decay_step" -> decayStep.toString,
    "decay_rate" -> Json.of(decayRate),
    "staircase" -> Json.of(staircase)
  )
}

/**
 * Falls in powers of e: `η · exp(−gamma · ⌊i / decayStep⌋)`.
 *
 * @param decayStep
 *   Iterations between two changes; at least 1.
 * @param gamma
 *   Decay per change; at least 0.
 */
final case class NaturalExp(decayStep: Long, gamma: Double) extends Schedule {
  override protected def arguments: Seq[(String, String)] =
    Seq("decay_step" -> decayStep.toString, "gamma" -> Json.of(gamma))
}

/**
 * Rises linearly without end: `η + delta · i` (Goyal et al., 2017). It is made to be the first stage
 * of a [[SequentialSchedule]].
 *
 * @param delta
 *   Increase per iteration; at least 0.
 */
final case class Warmup(delta: Double) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq("delta" -> Json.of(delta))
}

/**
 * One schedule after the other; the last one runs on. Each counts its own iterations from 0 and
 * starts from the rate that the one before has reached.
 *
 * {{{
 * // 0.1 rising to 1.1 in 1,000 iterations, then falling to 0 in 9,000.
 * SGD(learningRate = 0.1, common = Common(schedule = Some(
 *   SequentialSchedule().add(Warmup(0.001), 1000).add(Poly(0.5, 9000), 9000))))
 * }}}
 *
 * @param stages
 *   The schedules in their order with the iterations of each, at least 1; at least one stage.
 */
final case class SequentialSchedule(stages: Seq[(Schedule, Long)] = Nil) extends Schedule {

  /** This sequence and then `schedule` for so many `iterations`. */
  def add(schedule: Schedule, iterations: Long): SequentialSchedule =
    copy(stages :+ (schedule -> iterations))

  override protected def arguments: Seq[(String, String)] = {
    val all = stages.map { case (schedule, iterations) =>
      Json.obj(Seq("schedule" -> schedule.toJson, "iterations" -> iterations.toString))
    }
    Seq("stages" -> Json.array(all))
  }
}

/**
 * Falls along half a cosine, `m + (η − m) · (1 + cos(π · i / maxIteration)) / 2` with m =
 * `minLearningRate` (Loshchilov and Hutter, 2017, without restarts).
 *
 * @param maxIteration
 *   Iterations until the least rate, where it stays; at least 1.
 * @param minLearningRate
 *   Least rate; at least 0.
 */
final case class Cosine(maxIteration: Long, minLearningRate: Double = 0.0) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "max_iteration" -> maxIteration.toString,
    "min_learning_rate" -> Json.of(minLearningRate)
  )
}

/**
 * Rises from `η / divFactor` to η, then falls to `η / (divFactor · finalDivFactor)`, both along half
 * a cosine (Smith and Topin, 2018); the defaults are PyTorch's. Momentum is left alone.
 *
 * @param maxIteration
 *   Iterations of the whole cycle; `pctStart · maxIteration` is above 1.
 * @param pctStart
 *   Share of the cycle in which the rate rises; above 0, below 1.
 * @param divFactor
 *   Peak over start; above 0.
 * @param finalDivFactor
 *   Start over end; above 0.
 */
final case class OneCycle(
    maxIteration: Long,
    pctStart: Double = 0.3,
    divFactor: Double = 25.0,
    finalDivFactor: Double = 1e4
) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "max_iteration" -> maxIteration.toString,
    "pct_start" -> Json.of(pctStart),
    "div_factor" -> Json.of(divFactor),
    "final_div_factor" -> Json.of(finalDivFactor)
  )
}
