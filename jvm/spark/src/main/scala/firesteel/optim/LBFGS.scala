package firesteel.optim

import firesteel.nn.Json

/**
 * Limited-memory BFGS without line search (Nocedal, 1980), for smooth losses and batches of little
 * noise, best the whole training set.
 *
 * It steps by `learningRate` along Newton's direction as the last `historySize` steps and changes of the
 * gradient let it guess. Each weight needs 2 · historySize + 1 floats of state, and an iteration exchanges
 * about 1.5 · historySize² sums per 4,096 weights (Chen, Wang and Zhou, 2014).
 *
 * @param learningRate
 *   Step size in units of the guessed Newton step; at least 0. The first step is at most
 *   `learningRate / ‖g‖₁` long in units of the gradient.
 * @param historySize
 *   Steps that are remembered, 1 to 32. PyTorch and BigDL have 100.
 * @param common
 *   Schedule, clipping by value, average of the weights; a `clipNorm` is refused.
 */
final case class LBFGS(
    learningRate: Double = 1.0,
    historySize: Int = 10,
    common: Common = Common()
) extends Optimizer {
  override protected def arguments: Seq[(String, String)] = Seq(
    "learning_rate" -> Json.of(learningRate),
    "history_size" -> Json.of(historySize)
  )
}
