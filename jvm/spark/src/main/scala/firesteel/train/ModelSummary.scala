package firesteel.train

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper

import firesteel.jni.NativeModel

/**
 * A named range of the flat weight vector.
 *
 * @param offset where it begins, in floats
 * @param length its number of floats
 */
private[firesteel] final case class ParameterRange(name: String, offset: Long, length: Long) {

  /** A range is named by its layer and its role: `dense_1.weight`. */
  def layer: String = name.take(name.lastIndexOf('.'))
}

/** The layers of a model with the number of their parameters. */
private[firesteel] object ModelSummary {
  private val json = new ObjectMapper

  /** The parameters of a model, in their order. */
  def ranges(model: NativeModel): Seq[ParameterRange] =
    json.readTree(model.parameterTable()).asScala.toSeq.map { range =>
      val length = range.get("shape").asScala.map(_.asLong).product
      ParameterRange(range.get("name").asText, range.get("offset").asLong, length)
    }

  /** Name of a model that is defined by this JSON, and its layers. */
  def of(definition: String): (String, Seq[LayerInfo]) = {
    val model = NativeModel.define(definition)
    try {
      val sizes = ranges(model).groupMapReduce(_.layer)(_.length)(_ + _)
      val tree = json.readTree(definition)
      val layers = tree.path("layers").asScala.toSeq.map { layer =>
        val name = layer.get("name").asText
        LayerInfo(name, layer.get("class").asText, sizes.getOrElse(name, 0L))
      }
      (tree.path("name").asText, layers)
    } finally model.close()
  }
}
