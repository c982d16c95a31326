package firesteel.train

/**
 * What the shards of a training exchange; by default their whole gradients.
 *
 * @param gradientCompression what gradients are rounded to on their way, `bf16`; nothing if not given
 */
final case class Strategy(gradientCompression: Option[String] = None) {

  /** As JSON; only what was given. */
  def toJson: String = {
    val node = JsonFields.obj
    gradientCompression.foreach(node.put("gradient_compression", _))
    node.toString
  }
}
