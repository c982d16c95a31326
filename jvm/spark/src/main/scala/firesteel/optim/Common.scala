package firesteel.optim

import firesteel.nn.Json

/**
 * The settings that every optimizer has.
 *
 * The gradient g of an iteration is clipped before the optimizer sees it: first each element to
 * `[−clipValue, clipValue]`, then `g = g · min(1, clipNorm / ‖g‖)` with the L2 norm over all trainable
 * parameters (Pascanu et al., 2013). The average a of the weights w starts as the initial weights and
 * follows them with `a −= (1 − emaDecay) · (a − w)` (Polyak and Juditsky, 1992).
 *
 * {{{
 * Adam(0.01, common = Common(clipNorm = Some(1.0), schedule = Some(Cosine(10000))))
 * }}}
 *
 * @param decay
 *   Lowers the learning rate at iteration t (counted from 0) to `learningRate / (1 + decay · t)`; at
 *   least 0, and 0 beside a schedule.
 * @param clipValue
 *   Bound on the absolute value of each element of the gradient; above 0.
 * @param clipNorm
 *   Bound on the L2 norm of the gradient, after `clipValue`; above 0. [[LAMB]] and [[LBFGS]] refuse it.
 * @param emaDecay
 *   Part of the average of the weights that is kept in each iteration, such as 0.999; at least 0, below
 *   1. If absent there is no average.
 * @param schedule
 *   How the learning rate changes, in place of `decay`.
 */
final case class Common(
    decay: Double = 0.0,
    clipValue: Option[Double] = None,
    clipNorm: Option[Double] = None,
    emaDecay: Option[Double] = None,
    schedule: Option[Schedule] = None
) {
  private[optim] def arguments: Seq[(String, String)] = Seq(
    "decay" -> Json.of(decay),
    "clip_value" -> Common.orNull(clipValue),
    "clip_norm" -> Common.orNull(clipNorm),
    "ema_decay" -> Common.orNull(emaDecay),
    "schedule" -> schedule.fold("null")(_.toJson)
  )
}

object Common {
  private def orNull(value: Option[Double]): String = value.fold("null")(number => Json.of(number))
}
