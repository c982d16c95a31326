package org.apache.spark.firesteel

import java.util.{List => JavaList}

import io.netty.buffer.{ByteBuf, Unpooled}
import io.netty.channel.ChannelHandlerContext
import io.netty.handler.codec.ByteToMessageDecoder
import org.apache.spark.network.protocol.Message

/**
 * Stands before Spark's frame decoder: nothing gets to it before the [[Handshake]] is done, and then
 * only frames of the given kinds and size.
 *
 * Spark's decoder takes frames of up to 2 GiB and gathers each one whole. This one holds a single
 * frame of at most `maxFrame` bytes; the body of a stream, which follows its frame, passes in the
 * pieces in which it arrives.
 *
 * @param kinds the messages that may come
 * @param maxFrame bytes of a frame, with its length
 */
private[firesteel] abstract class Gate(kinds: Set[Message.Type], maxFrame: Int)
    extends ByteToMessageDecoder {
  private var isOpen = false
  private var isShut = false
  private var body = 0L
  private var bodyLeft = 0L

  /** Bytes of the body of the last stream that came. */
  final def bodyLength: Long = body

  /** Takes what has come of the handshake, once it is enough, and ends in [[open]] or [[shut]]. */
  protected def shake(context: ChannelHandlerContext, in: ByteBuf): Unit

  /** The other end is refused, because it sent `got`. */
  protected def refused(context: ChannelHandlerContext, got: String): Unit

  /** What goes wrong before the handshake is done is no more than another refusal. */
  override def exceptionCaught(context: ChannelHandlerContext, cause: Throwable): Unit =
    if (!isShut) {
      if (isOpen) context.fireExceptionCaught(cause) else shut(context, cause.toString)
    }

  /** Ends the handshake: from now on frames pass. */
  protected final def open(): Unit = isOpen = true

  /** Closes the connection. */
  protected final def shut(context: ChannelHandlerContext, got: String): Unit = {
    isShut = true
    refused(context, got)
    context.close()
    ()
  }

  /** Sends bytes of the handshake. */
  protected final def send(context: ChannelHandlerContext, bytes: Array[Byte]*): Unit = {
    context.writeAndFlush(Unpooled.wrappedBuffer(bytes: _*))
    ()
  }

  /** The next bytes of the handshake. */
  protected final def take(in: ByteBuf, length: Int): Array[Byte] = {
    val bytes = new Array[Byte](length)
    in.readBytes(bytes)
    bytes
  }

  final override protected def decode(
      context: ChannelHandlerContext,
      in: ByteBuf,
      out: JavaList[AnyRef]
  ): Unit =
    if (isShut) {
      in.skipBytes(in.readableBytes)
      ()
    } else if (!isOpen) {
      shake(context, in)
    } else if (bodyLeft > 0) {
      val length = math.min(bodyLeft, in.readableBytes.toLong)
      bodyLeft -= length
      out.add(in.readRetainedSlice(length.toInt))
      ()
    } else if (in.readableBytes >= Gate.LengthBytes) {
      val length = in.getLong(in.readerIndex)
      if (length < Gate.MinFrame || length > maxFrame) {
        shut(context, s"a frame of $length bytes")
      } else if (in.readableBytes >= length) {
        val frame = in.readSlice(length.toInt)
        wrong(frame) match {
          case Some(got) => shut(context, got)
          case None => out.add(frame.retain())
        }
        ()
      }
    }

  /** Why a frame may not pass, if so; notes the length of the body that follows. */
  private def wrong(frame: ByteBuf): Option[String] = {
    val kind = frame.getByte(Gate.KindAt)
    if (!kinds.exists(_.id == kind)) {
      Some(s"a message of kind $kind")
    } else if (kind == Message.Type.UploadStream.id) {
      val header = frame.getInt(Gate.HeaderLengthAt)
      val bodyAt = Gate.HeaderAt + header.toLong
      if (header < 0 || bodyAt + 8 != frame.readableBytes) {
        Some(s"a header of $header bytes in a frame of ${frame.readableBytes}")
      } else {
        body = frame.getLong(bodyAt.toInt)
        bodyLeft = body
        Option.when(body < 0 || body > Int.MaxValue)(s"a stream of $body bytes")
      }
    } else {
      None
    }
  }
}

/** How Spark writes its messages: length (8), kind (1), request (8), then what the kind needs. */
private object Gate {
  val LengthBytes = 8
  val KindAt = 8
  val HeaderLengthAt = 17
  val HeaderAt = 21
  val MinFrame = 21
}
