package firesteel.nn

/** What training makes small; the loss of a batch is the mean over its samples. */
sealed abstract class Loss extends Product with Serializable {

  /** The loss as JSON. */
  final def toJson: String = Json.configured(productPrefix, Seq.empty)
}

/**
 * Softmax cross-entropy: `−log(exp(dst[label]) / Σⱼ exp(dst[j]))`.
 *
 * The model's output are logits (no softmax at its end); the label is a class index from 0.
 */
final case class CrossEntropy() extends Loss

/** Mean over the outputs of `(dst − label)²`; the label has the shape of the output. */
final case class MeanSquaredError() extends Loss
