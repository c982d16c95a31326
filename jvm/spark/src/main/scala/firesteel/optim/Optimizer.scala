package firesteel.optim

import firesteel.nn.Json

/** How gradients move the weights. */
abstract class Optimizer private[optim] extends Product with Serializable {

  /** Step size before the schedule. */
  def learningRate: Double

  /** The settings that every optimizer has. */
  def common: Common

  /** The settings that are special to this optimizer, by their names in JSON. */
  protected def arguments: Seq[(String, String)]

  /** The optimizer as JSON. */
  final def toJson: String = Json.configured(productPrefix, arguments ++ common.arguments)
}
