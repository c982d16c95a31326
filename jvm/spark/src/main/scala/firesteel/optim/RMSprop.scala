package firesteel.optim

import firesteel.nn.Json

/**
 * Gradients in units of their root mean square (Tieleman and Hinton, 2012; centered: Graves, 2013).
 *
 * `v = rho · v + (1 − rho) · g²`, `b = momentum · b + g / (√v + epsilon)`, then
 * `w −= learningRate · b`; if `centered`, the root is of `v` less the square of the
 * gradient's mean.
 *
 * @param learningRate
 *   Step size; at least 0. The default is PyTorch's; Keras has 0.001.
 * @param rho
 *   Memory of the means; at least 0, below 1. The default is PyTorch's; Keras has 0.9.
 * @param momentum
 *   Part of the last step that is kept; at least 0, below 1.
 * @param epsilon
 *   Added to the root; above 0. The default is PyTorch's; Keras has 1e-7.
 * @param centered
 *   Whether to divide by the gradient's standard deviation instead.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class RMSprop(
    learningRate: Double = 0.01,
    rho: Double = 0.99,
    momentum: Double = 0.0,
    epsilon: Double = 1e-8,
    centered: Boolean = false,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "rho" -> Json.of(rho),
    "momentum" -> Json.of(momentum),
    "epsilon" -> Json.of(epsilon),
    "centered" -> Json.of(centered),
    "weight_decay" -> Json.of(weightDecay)
  )
}
