package firesteel.optim

import java.util.Locale

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

object Optimizer {
  private def byName: Map[String, Optimizer] =
    Seq(SGD(), Adam(), AdamW(), Adamax(), Adagrad(), Adadelta(), RMSprop(), Ftrl())
      .++(Seq(LARS(), LAMB(), LBFGS()))
      .map(optimizer => optimizer.productPrefix.toLowerCase(Locale.ROOT) -> optimizer)
      .toMap

  /**
   * The optimizer of this name with its defaults, as in Keras: `sgd`, `adam`, `adamw`, `adamax`,
   * `adagrad`, `adadelta`, `rmsprop`, `ftrl`, `lars`, `lamb`, `lbfgs`; case does not matter.
   */
  def apply(name: String): Optimizer = byName.getOrElse(
    name.toLowerCase(Locale.ROOT),
    throw new IllegalArgumentException(
      s"optimizer: expected one of ${byName.keys.toSeq.sorted.mkString(", ")}, got $name. " +
        "Give one of these or an object such as Adam(0.01)"
    )
  )
}
