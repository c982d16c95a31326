package firesteel.optim

import firesteel.nn.Json

/**
 * Steps that shrink with the sum of squared gradients (Duchi, Hazan and Singer, 2011).
 *
 * `s = s + g²`, then `w −= learningRate · g / (√(initialAccumulatorValue + s) + epsilon)`.
 *
 * @param learningRate
 *   Step size; at least 0. The default is PyTorch's; Keras has 0.001.
 * @param initialAccumulatorValue
 *   Where the sum of squares starts; at least 0. The default is PyTorch's; Keras has 0.1.
 * @param epsilon
 *   Added to the root; above 0. The default is PyTorch's; Keras has 1e-7.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class Adagrad(
    learningRate: Double = 0.01,
    initialAccumulatorValue: Double = 0.0,
    epsilon: Double = 1e-10,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "initial_accumulator_value" -> Json.of(initialAccumulatorValue),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}

/**
 * Steps in units of the weights (Zeiler, 2012).
 *
 * `v = rho · v + (1 − rho) · g²`, `d = √(u + epsilon) / √(v + epsilon) · g`,
 * `u = rho · u + (1 − rho) · d²`, then `w −= learningRate · d`.
 *
 * @param learningRate
 *   Factor of the steps; at least 0. The default is the paper's; Keras has 0.001.
 * @param rho
 *   Memory of both means of squares; at least 0, below 1. The default is PyTorch's; Keras and the
 *   paper have 0.95.
 * @param epsilon
 *   Sets the size of the first steps; above 0. The default is the paper's; Keras has 1e-7.
 * @param weightDecay
 *   Factor of the L2 penalty's gradient; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class Adadelta(
    learningRate: Double = 1.0,
    rho: Double = 0.9,
    epsilon: Double = 1e-6,
    weightDecay: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "rho" -> Json.of(rho),
    "epsilon" -> Json.of(epsilon),
    "weight_decay" -> Json.of(weightDecay)
  )
}
