package firesteel.optim

import firesteel.nn.Json

/**
 * Falls by a factor whenever what is measured has stopped getting better, as Keras's
 * ReduceLROnPlateau.
 *
 * A value counts as better if it is below the best one by more than `epsilon` (mode `min`) or above it by
 * more than that (mode `max`). After `patience` values in a row that are not, the rate falls; the
 * `cooldown` values after that are not counted.
 *
 * @param monitor
 *   What is looked at, `loss` or `score`.
 * @param factor
 *   Factor of a fall; at least 0, below 1.
 * @param patience
 *   Values without improvement before a fall; at least 1.
 * @param mode
 *   Whether less is better, `min`, or more, `max`.
 * @param epsilon
 *   Least change that counts; at least 0.
 * @param cooldown
 *   Values after a fall that are not counted; at least 0.
 * @param minLr
 *   Least rate; at least 0.
 */
final case class Plateau(
    monitor: String = "loss",
    factor: Double = 0.1,
    patience: Long = 10,
    mode: String = "min",
    epsilon: Double = 1e-4,
    cooldown: Long = 0,
    minLr: Double = 0.0
) extends Schedule {
  override protected def arguments: Seq[(String, String)] = Seq(
    "monitor" -> Json.of(monitor.toLowerCase(java.util.Locale.ROOT)),
    "factor" -> Json.of(factor),
    "patience" -> patience.toString,
    "mode" -> Json.of(mode),
    "epsilon" -> Json.of(epsilon),
    "cooldown" -> cooldown.toString,
    "min_lr" -> Json.of(minLr)
  )
}
