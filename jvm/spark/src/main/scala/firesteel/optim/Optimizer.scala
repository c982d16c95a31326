package firesteel.optim

import firesteel.nn.Json

/** How gradients move the weights; element by element. */
abstract class Optimizer private[optim] extends Product with Serializable {

  /** Step size before decay. */
  def learningRate: Double

  /** Lowers the learning rate at iteration t (counted from 0) to `learningRate / (1 + decay · t)`. */
  def decay: Double

  /** Bound on the absolute value of each element of the gradient; none if absent. */
  def clipValue: Option[Double]

  /** How the learning rate changes, in place of `decay`; if absent, by `decay`. */
  def schedule: Option[Schedule]

  /** The settings that are special to this optimizer, by their names in JSON. */
  protected def arguments: Seq[(String, String)]

  /** The optimizer as JSON. */
  final def toJson: String = Json.configured(
    productPrefix,
    arguments ++ Seq(
      "learning_rate" -> Json.of(learningRate),
      "decay" -> Json.of(decay),
      "clip_value" -> clipValue.fold("null")(bound => Json.of(bound)),
      "schedule" -> schedule.fold("null")(_.toJson)
    )
  )
}
