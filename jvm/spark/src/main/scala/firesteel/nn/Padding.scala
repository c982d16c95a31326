package firesteel.nn

/** How many zeros surround an image before a kernel or a pool slides over it. */
sealed abstract class Padding extends Product with Serializable

object Padding {

  /** No padding. */
  case object Valid extends Padding

  /**
   * As much as makes the result as large as the image, divided by the stride and rounded up. Where
   * an odd number of rows or columns is needed the extra one goes to the bottom or right, as in
   * Keras.
   */
  case object Same extends Padding

  /** These numbers of rows and columns. */
  final case class Explicit(top: Int, left: Int, bottom: Int, right: Int) extends Padding

  /** The same number of rows and columns on all four sides. */
  def all(size: Int): Padding = Explicit(size, size, size, size)
}
