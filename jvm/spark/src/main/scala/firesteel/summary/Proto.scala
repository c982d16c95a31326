package firesteel.summary

import java.io.ByteArrayOutputStream
import java.nio.{BufferUnderflowException, ByteBuffer, ByteOrder}
import java.nio.charset.StandardCharsets.UTF_8

import scala.annotation.tailrec

// The few kinds of fields that event files need of protobuf's wire format
// (https://protobuf.dev/programming-guides/encoding/). Spark ships protobuf's classes renamed.

/** Writes a message field by field. */
private[summary] final class ProtoWriter {
  private val out = new ByteArrayOutputStream

  def varint(field: Int, value: Long): this.type = {
    tag(field, ProtoWriter.Varint)
    number(value)
  }

  def double(field: Int, value: Double): this.type = {
    tag(field, ProtoWriter.Fixed64)
    out.writeBytes(ProtoWriter.little(8).putDouble(value).array)
    this
  }

  def float(field: Int, value: Float): this.type = {
    tag(field, ProtoWriter.Fixed32)
    out.writeBytes(ProtoWriter.little(4).putFloat(value).array)
    this
  }

  def doubles(field: Int, values: Array[Double]): this.type = {
    val packed = ProtoWriter.little(8 * values.length)
    values.foreach(packed.putDouble)
    bytes(field, packed.array)
  }

  def string(field: Int, value: String): this.type = bytes(field, value.getBytes(UTF_8))

  def message(field: Int, value: ProtoWriter): this.type = bytes(field, value.toBytes)

  /** The message so far. */
  def toBytes: Array[Byte] = out.toByteArray

  private def bytes(field: Int, value: Array[Byte]): this.type = {
    tag(field, ProtoWriter.Delimited)
    number(value.length.toLong)
    out.writeBytes(value)
    this
  }

  private def tag(field: Int, wire: Int): Unit = {
    number((field << 3 | wire).toLong)
    ()
  }

  @tailrec private def number(value: Long): this.type =
    if ((value & ~0x7fL) == 0) {
      out.write(value.toInt)
      this
    } else {
      out.write((value & 0x7f | 0x80).toInt)
      number(value >>> 7)
    }
}

private object ProtoWriter {
  val Varint = 0
  val Fixed64 = 1
  val Delimited = 2
  val Fixed32 = 5

  def little(bytes: Int): ByteBuffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN)
}

/** Reads a message field by field. */
private[summary] object ProtoReader {

  /** A field's value. */
  sealed trait Value

  /** A number, as its bits. */
  final case class Fixed(bits: Long) extends Value

  /** Text, packed numbers or a message. */
  final case class Bytes(bytes: Array[Byte]) extends Value

  /**
   * Calls `use` for each field that it is defined for.
   *
   * @throws SummaryException if these bytes are no message
   */
  def fields(message: Array[Byte])(use: PartialFunction[(Int, Value), Unit]): Unit = {
    val in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN)
    try
      while (in.hasRemaining) {
        val tag = varint(in)
        val value = (tag & 7).toInt match {
          case ProtoWriter.Varint => Fixed(varint(in))
          case ProtoWriter.Fixed64 => Fixed(in.getLong)
          case ProtoWriter.Fixed32 => Fixed(in.getInt.toLong)
          case ProtoWriter.Delimited => Bytes(delimited(in))
          case other =>
            throw new SummaryException(s"event: expected wire type 0, 1, 2 or 5, got $other")
        }
        use.applyOrElse(((tag >>> 3).toInt, value), (_: (Int, Value)) => ())
      }
    catch {
      case _: BufferUnderflowException =>
        throw new SummaryException(
          s"event: expected a whole message, got ${message.length} bytes of one"
        )
    }
  }

  private def delimited(in: ByteBuffer): Array[Byte] = {
    val length = varint(in)
    if (length < 0 || length > in.remaining) throw new BufferUnderflowException
    val bytes = new Array[Byte](length.toInt)
    in.get(bytes)
    bytes
  }

  private def varint(in: ByteBuffer): Long = {
    @tailrec def more(shift: Int, sum: Long): Long = {
      val byte = in.get.toLong
      val next = sum | (byte & 0x7f) << shift
      if (byte >= 0) next
      else if (shift >= 63)
        throw new SummaryException("event: expected a number of at most 10 bytes")
      else more(shift + 7, next)
    }
    more(0, 0)
  }
}
