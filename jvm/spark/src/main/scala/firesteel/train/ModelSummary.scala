package firesteel.train

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper

import firesteel.jni.NativeModel

/** The layers of a model with the number of their parameters. */
private[firesteel] object ModelSummary {
  private val json = new ObjectMapper

  /** Name of a model that is defined by this JSON, and its layers. */
  def of(definition: String): (String, Seq[LayerInfo]) = {
    val model = NativeModel.define(definition)
    try {
      val sizes = json
        .readTree(model.parameterTable())
        .asScala
        .toSeq
        .groupMapReduce(range => layerOf(range.get("name").asText))(range =>
          range.get("shape").asScala.map(_.asLong).product
        )(_ + _)
      val tree = json.readTree(definition)
      val layers = tree.path("layers").asScala.toSeq.map { layer =>
        val name = layer.get("name").asText
        LayerInfo(name, layer.get("class").asText, sizes.getOrElse(name, 0L))
      }
      (tree.path("name").asText, layers)
    } finally model.close()
  }

  /** A range is named by its layer and its role: `dense_1.weight`. */
  private def layerOf(range: String): String = range.take(range.lastIndexOf('.'))
}
