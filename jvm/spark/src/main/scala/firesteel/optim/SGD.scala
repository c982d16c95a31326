package firesteel.optim

import firesteel.nn.Json

/**
 * Stochastic gradient descent with momentum.
 *
 * `v = momentum · v + (gradient + weightDecay · w)`, then `w −= learningRate · v`; with Nesterov's
 * momentum `w −= learningRate · (gradient + weightDecay · w + momentum · v)`.
 *
 * @param learningRate
 *   Step size; at least 0.
 * @param momentum
 *   Part of the last step that is kept; at least 0, below 1. 0 needs no state.
 * @param nesterov
 *   Whether the gradient is taken as if after the next step of the momentum (Nesterov, 1983);
 *   needs a momentum.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class SGD(
    learningRate: Double = 0.01,
    momentum: Double = 0.0,
    nesterov: Boolean = false,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "momentum" -> Json.of(momentum),
    "nesterov" -> Json.of(nesterov),
    "weight_decay" -> Json.of(weightDecay)
  )
}
