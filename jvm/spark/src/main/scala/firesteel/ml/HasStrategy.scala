package firesteel.ml

import org.apache.spark.ml.param.{Param, Params, ParamValidators}

import firesteel.train.Strategy

/** What the executors exchange in a training. */
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

  setDefault(gradientCompression -> "none")

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

  /** @group expertGetParam */
  final def getGradientCompression: String = $(gradientCompression)

  /** What the executors exchange. */
  private[ml] def strategy: Strategy =
    Strategy(gradientCompression = Some(getGradientCompression).filter(_ != "none"))
}
