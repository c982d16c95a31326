package firesteel.ml

import org.apache.spark.ml.param.{IntParam, Param, Params, ParamValidators}

import firesteel.train.Strategy

/** What the executors compute in, and exchange, in a training. */
trait HasStrategy extends Params {

  /**
   * What gradients are rounded to on their way between executors: `none`, or `bf16` for half as many
   * bytes. Default: `none`.
   *
   * @group expertParam
   */
  final val gradientCompression: Param[String] = new Param[String](
    this,
    "gradientCompression",
    "what gradients are rounded to on their way, none or bf16",
    ParamValidators.inArray(Array("none", "bf16"))
  )

  /**
   * Steps that each shard takes by itself before the weights of all are averaged, 1 or more. If it is
   * not set, the gradients of every batch are added up over all shards.
   *
   * @group expertParam
   */
  final val localSteps: IntParam = new IntParam(
    this,
    "localSteps",
    "steps of each shard by itself before the weights are averaged, 1 or more",
    ParamValidators.gt(0)
  )

  /**
   * What convolutions and matrix products are computed in: `f32` or `bf16`. Default: `f32`.
   *
   * @group expertParam
   */
  final val precision: Param[String] = new Param[String](
    this,
    "precision",
    "what products are computed in, f32 or bf16",
    ParamValidators.inArray(Array("f32", "bf16"))
  )

  setDefault(gradientCompression -> "none", precision -> "f32")

  /**
   * Rounds gradients to floats of 16 bits (`bf16`): half as many bytes of them go from executor to
   * executor. Rounding is stochastic, so that it is right on average, and the same on any cluster.
   *
   * {{{
   * NNClassifier(model, CrossEntropy()).setGradientCompression("bf16")
   * }}}
   *
   * @group expertSetParam
   */
  def setGradientCompression(value: String): this.type = set(gradientCompression, value)

  /**
   * Averages weights after so many steps instead of adding up gradients in each (local SGD): executors
   * exchange as many times less. Each shard takes the steps by itself, with weights and optimizer of
   * its own, and batches of its part of `batchSize` rows. Triggers and schedules count an iteration
   * from one average to the next.
   *
   * {{{
   * NNClassifier(model, CrossEntropy()).setOptimizer(SGD(0.1, momentum = 0.9)).setLocalSteps(8)
   * }}}
   *
   * @group expertSetParam
   */
  def setLocalSteps(value: Int): this.type = set(localSteps, value)

  /**
   * Computes convolutions and matrix products, and their gradients, in `bf16`, and keeps what lies
   * between them in it: faster, in less memory. Weights, their gradients, the optimizer, statistics and
   * losses stay f32. Every executor needs a CPU with AVX-512 BF16 or AMX; on others training fails and
   * says so.
   *
   * {{{
   * NNClassifier(model, CrossEntropy()).setPrecision("bf16")
   * }}}
   *
   * @group expertSetParam
   */
  def setPrecision(value: String): this.type = set(precision, value)

  /** @group expertGetParam */
  final def getPrecision: String = $(precision)

  /** @group expertGetParam */
  final def getLocalSteps: Option[Int] = get(localSteps)

  /** @group expertGetParam */
  final def getGradientCompression: String = $(gradientCompression)

  /** What the executors compute in, and exchange. */
  private[ml] def strategy: Strategy =
    Strategy(Some(getGradientCompression).filter(_ != "none"), getLocalSteps, getPrecision)
}
