package firesteel.optim

import firesteel.nn.Json

/** How gradients move the weights; element by element. */
sealed abstract class Optimizer extends Product with Serializable {

  /** Step size before decay. */
  def learningRate: Double

  /** Lowers the learning rate at iteration t (counted from 0) to `learningRate / (1 + decay · t)`. */
  def decay: Double

  /** Bound on the absolute value of each element of the gradient; none if absent. */
  def clipValue: Option[Double]

  /** The settings that are special to this optimizer, by their names in JSON. */
  protected def arguments: Seq[(String, String)]

  /** The optimizer as JSON. */
  final def toJson: String = Json.configured(
    productPrefix,
    arguments ++ Seq(
      "learning_rate" -> Json.of(learningRate),
      "decay" -> Json.of(decay),
      "clip_value" -> clipValue.fold("null")(bound => Json.of(bound))
    )
  )
}

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
 * @param decay
 *   Decay of the learning rate per iteration; at least 0.
 * @param clipValue
 *   Bound on the absolute value of each element of the gradient; above 0.
 */
final case class SGD(
    learningRate: Double = 0.01,
    momentum: Double = 0.0,
    nesterov: Boolean = false,
    weightDecay: Double = 0.0,
    decay: Double = 0.0,
    clipValue: Option[Double] = None
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "momentum" -> Json.of(momentum),
    "nesterov" -> Json.of(nesterov),
    "weight_decay" -> Json.of(weightDecay)
  )
}

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
 * @param decay
 *   Decay of the learning rate per iteration; at least 0.
 * @param clipValue
 *   Bound on the absolute value of each element of the gradient; above 0.
 */
final case class Adam(
    learningRate: Double = 0.001,
    beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-8,
    weightDecay: Double = 0.0,
    decay: Double = 0.0,
    clipValue: Option[Double] = None
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "beta_1" -> Json.of(beta1),
    "beta_2" -> Json.of(beta2),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}
