package firesteel.nn

/**
 * A layer of a model: a case class that holds its settings.
 *
 * The classes are generated from the engine's own list, with the names and defaults of Keras.
 * Settings are checked when the model is defined, before any job starts.
 */
abstract class Layer extends Product with Serializable {

  /** Name in the model. Empty: class and number, such as `conv2d_1`. */
  def name: String

  /** The settings as JSON, by their names in a definition. */
  private[nn] def arguments: Seq[(String, String)]

  /**
   * The result of this layer for the results of others.
   *
   * Each application is a layer of its own with weights of its own.
   */
  final def apply(inputs: Node*): Node = new Node(Left(this), inputs)

  /** The class as Keras spells it in names: `Conv2D` is `conv2d`. */
  private[nn] final def baseName: String =
    productPrefix
      .replaceAll("(.)([A-Z][a-z]+)", "$1_$2")
      .replaceAll("([a-z])([A-Z])", "$1_$2")
      .toLowerCase(java.util.Locale.ROOT)
}
