package firesteel.optim

import firesteel.nn.Json

/**
 * Follow the regularized leader (McMahan et al., 2013), as Keras has it; for linear models whose
 * weights start at 0. Other initial weights are forgotten but for a small share after one iteration.
 *
 * With r = `√(initialAccumulatorValue + n)` before and after `n = n + g²`:
 * `z = z + g + 2 · l2Shrinkage · w − (r_after − r_before) / learningRate · w`, then w = 0 if |z| ≤ l1,
 * else `w = (sign(z) · l1 − z) / ((beta + r_after) / learningRate + 2 · l2)`.
 *
 * @param learningRate
 *   Step size; at least 0.
 * @param initialAccumulatorValue
 *   Where the sum of squares starts; above 0.
 * @param beta
 *   Lowers the first steps; at least 0 (the paper advises 1).
 * @param l1RegularizationStrength
 *   L1 penalty, makes weights exactly 0; at least 0.
 * @param l2RegularizationStrength
 *   L2 penalty on the weights since the start, half the paper's; at least 0.
 * @param l2ShrinkageRegularizationStrength
 *   L2 penalty on the weights now; at least 0.
 * @param common
 *   Schedule, clipping, average of the weights.
 */
final case class Ftrl(
    learningRate: Double = 0.001,
    initialAccumulatorValue: Double = 0.1,
    beta: Double = 0.0,
    l1RegularizationStrength: Double = 0.0,
    l2RegularizationStrength: Double = 0.0,
    l2ShrinkageRegularizationStrength: Double = 0.0,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "initial_accumulator_value" -> Json.of(initialAccumulatorValue),
    "beta" -> Json.of(beta),
    "l1_regularization_strength" -> Json.of(l1RegularizationStrength),
    "l2_regularization_strength" -> Json.of(l2RegularizationStrength),
    "l2_shrinkage_regularization_strength" -> Json.of(l2ShrinkageRegularizationStrength)
  )
}
