package firesteel.train

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}

/**
 * The fields of a JSON object, each of the type that is asked for.
 *
 * Every call throws an `IllegalArgumentException` that names the field if it is absent or of
 * another type.
 */
private[train] final class JsonFields(node: JsonNode) {
  def long(name: String): Long = field(name, "a whole number")(_.canConvertToLong).longValue
  def int(name: String): Int = field(name, "a whole number")(_.canConvertToInt).intValue
  def boolean(name: String): Boolean = field(name, "true or false")(_.isBoolean).booleanValue
  def text(name: String): String = field(name, "text")(_.isTextual).textValue
  def fields(name: String): JsonFields = new JsonFields(field(name, "an object")(_.isObject))
  def double(name: String): Double =
    java.lang.Double.longBitsToDouble(java.lang.Long.parseUnsignedLong(text(name), 16))

  def longs(name: String): Vector[Long] = array(name).map(_.longValue)
  def texts(name: String): Vector[String] = array(name).map(_.textValue)
  def all(name: String): Vector[JsonFields] = array(name).map(new JsonFields(_))

  def has(name: String): Boolean = node.has(name)

  /** What `read` makes of the field; none if it is null. */
  def option[T](name: String)(read: JsonFields => String => T): Option[T] =
    Option.when(!field(name, "a value")(!_.isMissingNode).isNull)(read(this)(name))

  private def array(name: String): Vector[JsonNode] =
    field(name, "an array")(_.isArray).elements.asScala.toVector

  private def field(name: String, expected: String)(isRight: JsonNode => Boolean): JsonNode = {
    val value = node.path(name)
    if (!isRight(value)) {
      val got = if (value.isMissingNode) "nothing" else value.toString.take(40)
      throw new IllegalArgumentException(s"""field "$name": expected $expected, got $got""")
    }
    value
  }
}

private[train] object JsonFields {
  val Mapper: ObjectMapper = new ObjectMapper

  /** The 64 bits of a double as 16 hexadecimal digits: no bit is lost, and NaN has a form. */
  def bits(value: Double): String = f"${java.lang.Double.doubleToRawLongBits(value)}%016x"

  /** An array of the form that `write` gives each. */
  def array[T](values: Iterable[T])(write: T => JsonNode): ArrayNode =
    values.foldLeft(Mapper.createArrayNode)((array, value) => array.add(write(value)))

  def obj: ObjectNode = Mapper.createObjectNode
}
