package firesteel.train

import com.fasterxml.jackson.databind.node.ObjectNode

/**
 * What the shards of a training compute in and exchange; by default f32, and the whole gradients of
 * each batch.
 *
 * @param gradientCompression what gradients are rounded to on their way, `bf16`; nothing if not given
 * @param localSteps steps that each shard takes by itself, with weights of its own, before the weights of
 *     all are averaged; then an iteration is so many batches. None if not given
 * @param precision what products are computed in, `f32` or `bf16`
 */
final case class Strategy(
    gradientCompression: Option[String] = None,
    localSteps: Option[Int] = None,
    precision: String = "f32"
) {

  /** Rows of an iteration of such batches. */
  def iterationRows(batchSize: Int): Long = batchSize.toLong * localSteps.getOrElse(1)

  /** As JSON. */
  def toJson: String = Strategy.write(this).toString
}

object Strategy {
  private[train] def write(strategy: Strategy): ObjectNode = {
    val node = JsonFields.obj
      .put("gradient_compression", strategy.gradientCompression.orNull)
      .put("local_steps", strategy.localSteps.map(Integer.valueOf).orNull)
    if (strategy.precision == "f32") node else node.put("precision", strategy.precision)
  }

  private[train] def read(fields: JsonFields): Strategy = Strategy(
    gradientCompression = fields.option("gradient_compression")(_.text),
    localSteps = fields.option("local_steps")(_.int),
    precision = if (fields.has("precision")) fields.text("precision") else "f32"
  )
}
