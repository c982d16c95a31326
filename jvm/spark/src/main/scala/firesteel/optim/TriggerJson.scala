package firesteel.optim

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/** Triggers from their JSON. */
private[optim] object TriggerJson {
  private val mapper = new ObjectMapper

  def read(json: String): Trigger = {
    val node =
      try mapper.readTree(json)
      catch { case NonFatal(e) => refuse(json, e.getMessage) }
    read(node)
  }

  private def read(node: JsonNode): Trigger = {
    val config = node.path("config")
    def field(name: String)(isRight: JsonNode => Boolean): JsonNode = {
      val value = config.path(name)
      if (isRight(value)) value else refuse(node.toString, s"no valid $name")
    }
    def whole(name: String): Long = field(name)(_.canConvertToLong).longValue
    def int(name: String): Int = field(name)(_.canConvertToInt).intValue
    def number(name: String): Double = field(name)(_.isNumber).doubleValue
    def triggers: Seq[Trigger] = field("triggers")(_.isArray).elements.asScala.map(read).toSeq
    node.path("class").asText match {
      case "EveryEpoch" => EveryEpoch()
      case "SeveralIteration" => SeveralIteration(whole("interval"))
      case "MaxEpoch" => MaxEpoch(int("max"))
      case "MaxIteration" => MaxIteration(whole("max"))
      case "MaxScore" => MaxScore(number("max"))
      case "MinLoss" => MinLoss(number("min"))
      case "And" => And(triggers: _*)
      case "Or" => Or(triggers: _*)
      case "EarlyStopping" =>
        val monitor = field("monitor")(_.isTextual).asText
        EarlyStopping(int("patience"), number("min_delta"), monitor)
      case other => refuse(node.toString, s"class $other")
    }
  }

  private def refuse(json: String, got: String): Nothing = throw new IllegalArgumentException(
    s"trigger $json: expected the JSON of a trigger, got $got. Use Trigger.toJson."
  )
}
