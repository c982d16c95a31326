package firesteel.optim

import firesteel.nn.Json

/**
 * Momentum with a learning rate for each layer, for large batches (You, Gitman and Ginsburg, 2017);
 * BigDL's LarsSGD.
 *
 * For each parameter `r = trust · ‖w‖ / (‖g‖ + weightDecay · ‖w‖)`, 1 if a norm is 0, and
 * `v = momentum · v + learningRate · r · (g + weightDecay · w)`, then `w −= v`. Parameters of one
 * dimension (biases, scales and shifts of normalizations) have r = 1 and no weight decay.
 *
 * @param learningRate
 *   Step size of all layers together; at least 0.
 * @param trust
 *   Part of a weight's size that a step may be; above 0. The default is the paper's; BigDL has 1.
 * @param momentum
 *   Part of the last step that is kept; at least 0, below 1.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param adaptVectors
 *   Whether parameters of one dimension are treated as all others.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class LARS(
    learningRate: Double = 0.1,
    trust: Double = 0.001,
    momentum: Double = 0.9,
    weightDecay: Double = 0.0005,
    adaptVectors: Boolean = false,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "trust" -> Json.of(trust),
    "momentum" -> Json.of(momentum),
    "weight_decay" -> Json.of(weightDecay),
    "adapt_vectors" -> Json.of(adaptVectors)
  )
}

/**
 * Adam with a learning rate for each layer, for large batches (You et al., 2020).
 *
 * With the corrected means m and v of [[Adam]], for each parameter
 * `u = m / (√v + epsilon) + weightDecay · w`, then `w −= learningRate · ‖w‖ / ‖u‖ · u`, the quotient
 * being 1 if a norm is 0. Parameters of one dimension (biases, scales and shifts of normalizations)
 * take the step `learningRate · u` without weight decay.
 *
 * @param learningRate
 *   Step size; at least 0.
 * @param beta1
 *   Memory of the mean of the gradients; at least 0, below 1.
 * @param beta2
 *   Memory of the mean of their squares; at least 0, below 1.
 * @param epsilon
 *   Added to the root; above 0.
 * @param weightDecay
 *   Decay of the weights; at least 0.
 * @param adaptVectors
 *   Whether parameters of one dimension are treated as all others.
 * @param common
 *   Schedule, clipping by value, average of the weights; a `clipNorm` is refused.
 */
final case class LAMB(
    learningRate: Double = 0.001,
    beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-6,
    weightDecay: Double = 0.01,
    adaptVectors: Boolean = false,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "beta_1" -> Json.of(beta1),
    "beta_2" -> Json.of(beta2),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay),
    "adapt_vectors" -> Json.of(adaptVectors)
  )
}
