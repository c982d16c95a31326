package firesteel.nn

/** A model as data: what the engine makes its graph from. */
trait ModelDefinition {

  /** Name of the model. */
  def name: String

  /** The definition as JSON. */
  def toJson: String
}
