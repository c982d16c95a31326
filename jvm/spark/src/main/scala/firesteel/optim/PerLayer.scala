package firesteel.optim

import firesteel.nn.Json

/**
 * Optimizers of their own for some layers: other rules or settings, slower rates, or none at all;
 * BigDL's setOptimMethods.
 *
 * A layer is given by its name, `conv1`, or that of one of its parameters, `conv1.bias`; with a `*` at
 * its end it stands for all names that begin so. Where several match, the first holds.
 *
 * {{{
 * // Fine-tuning: the first layers stay, the others learn slowly, the last one fast.
 * PerLayer(SGD(0.1, momentum = 0.9)).freeze("conv1*").slow("conv*", 0.1).use("fc", Adam(0.001))
 * }}}
 *
 * @param default
 *   The optimizer of all parameters that `layers` does not name. Only its schedule may be or have a
 *   [[Plateau]], which then slows all layers.
 * @param layers
 *   The layers that are treated otherwise.
 * @param common
 *   `clipNorm`, over all parameters that are not frozen, and `emaDecay`; the rest belongs to the
 *   optimizers, which in turn must not have these two.
 */
final case class PerLayer(
    default: Optimizer,
    layers: Seq[LayerOptimizer] = Nil,
    common: Common = Common()
) extends Optimizer {

  /** That of `default`. */
  override def learningRate: Double = default.learningRate

  /** Moves the layers of this `name` by `optimizer`. */
  def use(name: String, optimizer: Optimizer): PerLayer =
    copy(layers = layers :+ LayerOptimizer(name, Some(optimizer)))

  /** Multiplies the learning rate of the layers of this `name` by `factor`. */
  def slow(name: String, factor: Double): PerLayer =
    copy(layers = layers :+ LayerOptimizer(name, rateFactor = factor))

  /** Leaves the layers of this `name` as they are. */
  def freeze(name: String): PerLayer = copy(layers = layers :+ LayerOptimizer(name, frozen = true))

  override protected def arguments: Seq[(String, String)] =
    Seq("default" -> default.toJson, "layers" -> Json.array(layers.map(_.toJson)))
}

/**
 * How some layers of a [[PerLayer]] learn.
 *
 * @param prefix
 *   The layers' name.
 * @param optimizer
 *   Their optimizer; if absent the default one.
 * @param rateFactor
 *   Factor of the learning rate; at least 0.
 * @param frozen
 *   Whether their weights stay as they are.
 */
final case class LayerOptimizer(
    prefix: String,
    optimizer: Option[Optimizer] = None,
    rateFactor: Double = 1.0,
    frozen: Boolean = false
) {
  private[optim] def toJson: String = Json.obj(
    Seq(
      "prefix" -> Json.of(prefix),
      "optimizer" -> optimizer.fold("null")(_.toJson),
      "rate_factor" -> Json.of(rateFactor),
      "frozen" -> Json.of(frozen)
    )
  )
}
