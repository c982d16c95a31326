package firesteel.nn

import scala.collection.mutable.ArrayBuffer

/**
 * A model whose layers follow one after the other.
 *
 * {{{
 * val model = Sequential(inputShape = Seq(1, 28, 28))
 *   .add(Conv2D(6, (5, 5), activation = "tanh"))
 *   .add(MaxPooling2D())
 *   .add(Flatten())
 *   .add(Dense(10))
 * }}}
 *
 * @param inputShape
 *   Shape of one sample, channels first, without the batch.
 * @param name
 *   Name of the model.
 */
final class Sequential(val inputShape: Seq[Int], val name: String) extends ModelDefinition {
  private val added = ArrayBuffer.empty[Layer]

  /** Appends a layer to this model. */
  def add(layer: Layer): this.type = {
    added += layer
    this
  }

  /** The layers so far. */
  def layers: Seq[Layer] = added.toSeq

  override def toJson: String = {
    val input = Input(inputShape)
    val output = added.foldLeft(input)((node, layer) => layer(node))
    Model(Seq(input), Seq(output), name).toJson
  }
}

object Sequential {

  /** A model of these layers, to which more can be added. */
  def apply(inputShape: Seq[Int], layers: Layer*): Sequential =
    apply("sequential", inputShape, layers: _*)

  /** A model with a name of its own. */
  def apply(name: String, inputShape: Seq[Int], layers: Layer*): Sequential =
    layers.foldLeft(new Sequential(inputShape, name))(_.add(_))
}
