package firesteel.optim

import firesteel.nn.Json

/**
 * Adam (Kingma and Ba, 2015): steps in units of the gradient's own size.
 *
 * `m = beta1 · m + (1 − beta1) · g`, `v = beta2 · v + (1 − beta2) · g²`, both divided by
 * `1 − betaᵗ`, then `w −= learningRate · m / (√v + epsilon)`.
 *
 * @param learningRate
 *   Step size; at least 0.
 * @param beta1
 *   Memory of the mean of the gradients; at least 0, below 1.
 * @param beta2
 *   Memory of the mean of their squares; at least 0, below 1.
 * @param epsilon
 *   Added to the root; above 0. The default is PyTorch's; Keras has 1e-7.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class Adam(
    learningRate: Double = 0.001,
    beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-8,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "beta_1" -> Json.of(beta1),
    "beta_2" -> Json.of(beta2),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019): first
 * `w −= learningRate · weightDecay · w`, then the step of [[Adam]] without a penalty.
 *
 * @param learningRate
 *   Step size; at least 0.
 * @param beta1
 *   Memory of the mean of the gradients; at least 0, below 1.
 * @param beta2
 *   Memory of the mean of their squares; at least 0, below 1.
 * @param epsilon
 *   Added to the root; above 0. The default is PyTorch's; Keras has 1e-7.
 * @param weightDecay
 *   Decay of the weights; at least 0. The default is PyTorch's; Keras has 0.004.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class AdamW(
    learningRate: Double = 0.001,
    beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-8,
    weightDecay: Double = 0.01,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "beta_1" -> Json.of(beta1),
    "beta_2" -> Json.of(beta2),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}

/**
 * Adam with the infinity norm (Kingma and Ba, 2015, algorithm 2).
 *
 * `m = beta1 · m + (1 − beta1) · g`, `u = max(beta2 · u, |g| + epsilon)`, then
 * `w −= learningRate / (1 − beta1ᵗ) · m / u`.
 *
 * @param learningRate
 *   Step size; at least 0. The default is PyTorch's; Keras has 0.001.
 * @param beta1
 *   Memory of the mean of the gradients; at least 0, below 1.
 * @param beta2
 *   Memory of their norm; at least 0, below 1.
 * @param epsilon
 *   Added to the gradient's size; above 0. The default is PyTorch's; Keras has 1e-7.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class Adamax(
    learningRate: Double = 0.002,
    beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-8,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "beta_1" -> Json.of(beta1),
    "beta_2" -> Json.of(beta2),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}
