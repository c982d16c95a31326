package firesteel.ml

import org.apache.spark.ml.param.{DoubleParam, Params, ParamValidators}

/** How the gradient is bounded before the optimizer uses it. */
trait HasClipping extends Params {

  /**
   * Bound on the absolute value of each element of the gradient, above 0. If it is set it takes the
   * place of the optimizer's own.
   *
   * @group param
   */
  final val clipValue: DoubleParam = new DoubleParam(
    this,
    "clipValue",
    "bound on the absolute value of each element of the gradient, above 0",
    ParamValidators.gt(0)
  )

  /**
   * Bound on the L2 norm of the whole gradient, above 0: a longer one is scaled to it. If it is set
   * it takes the place of the optimizer's own.
   *
   * @group param
   */
  final val clipNorm: DoubleParam = new DoubleParam(
    this,
    "clipNorm",
    "bound on the L2 norm of the whole gradient, above 0",
    ParamValidators.gt(0)
  )

  /**
   * Bounds each element of the gradient to `[min, max]`.
   *
   * @throws java.lang.IllegalArgumentException unless `min` is `-max`, and `max` above 0
   * @group setParam
   */
  def setConstantGradientClipping(min: Double, max: Double): this.type = {
    if (min != -max) {
      throw new IllegalArgumentException(
        s"$uid: expected gradient clipping to [-max, max], got [$min, $max]. Use the same " +
          "number, without and with a minus."
      )
    }
    set(clipValue, max)
  }

  /**
   * Bounds the L2 norm of the whole gradient.
   *
   * @group setParam
   */
  def setGradientClippingByL2Norm(clipNorm: Double): this.type = set(this.clipNorm, clipNorm)

  /**
   * Takes back [[setConstantGradientClipping]] and [[setGradientClippingByL2Norm]]; what the
   * optimizer itself has stays.
   *
   * @group setParam
   */
  def clearGradientClipping(): this.type = {
    clear(clipValue)
    clear(clipNorm)
    this
  }

  /** @group getParam */
  final def getClipValue: Option[Double] = get(clipValue)

  /** @group getParam */
  final def getClipNorm: Option[Double] = get(clipNorm)
}
