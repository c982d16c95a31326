package firesteel.nn

/** Inputs of a functional [[Model]]. */
object Input {

  /**
   * An input.
   *
   * @param shape
   *   Shape of one sample, channels first, without the batch: `Seq(1, 28, 28)`.
   * @param name
   *   Name in the model. Empty: `input`, `input_1` and so on.
   */
  def apply(shape: Seq[Int], name: String = ""): Node =
    new Node(Right(Shape(shape, name)), Seq.empty)

  private[nn] final case class Shape(dims: Seq[Int], name: String)
}
