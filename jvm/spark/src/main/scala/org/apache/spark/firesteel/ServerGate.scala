package org.apache.spark.firesteel

import java.util.UUID

import io.netty.buffer.ByteBuf
import io.netty.channel.ChannelHandlerContext
import org.apache.spark.network.protocol.Message

import firesteel.train.Address

/**
 * The gate of a connection that came in: whoever does not know a training's secret stays outside.
 *
 * @param secretOf the secret of a training, if this executor takes part in it
 * @param address where this executor receives slices
 * @param strangers who waits outside
 */
private[firesteel] final class ServerGate(
    secretOf: UUID => Option[UUID],
    address: Address,
    strangers: Strangers,
    kinds: Set[Message.Type]
) extends Gate(kinds, ServerGate.MaxFrame) {
  private var greeted: Option[(UUID, Handshake)] = None

  /** The training to which the other end belongs; nothing passes before it is known. */
  def training: UUID = greeted.map(_._1).getOrElse(
    throw new IllegalStateException("firesteel exchange: expected a handshake first.")
  )

  override def handlerAdded(context: ChannelHandlerContext): Unit =
    strangers.arrived(context.channel)

  override protected def shake(context: ChannelHandlerContext, in: ByteBuf): Unit =
    greeted match {
      case None =>
        if (in.readableBytes >= 4 && in.getInt(in.readerIndex) != Handshake.Magic) {
          shut(context, "something else than a handshake")
        } else if (in.readableBytes >= Handshake.HelloLength) {
          in.skipBytes(4)
          greet(context, new UUID(in.readLong, in.readLong), take(in, Handshake.Length))
        }
      case Some((training, handshake)) =>
        if (in.readableBytes >= Handshake.Length) {
          if (!Handshake.isEqual(take(in, Handshake.Length), handshake.clientProof)) {
            send(context, Array(Handshake.Unknown))
            shut(context, s"a wrong proof for training $training")
          } else if (strangers.left(context.channel)) {
            open()
            send(context, Array(Handshake.Known))
          }
        }
    }

  private def greet(context: ChannelHandlerContext, training: UUID, nonce: Array[Byte]): Unit =
    secretOf(training) match {
      case None =>
        send(context, Array(Handshake.Unknown))
        shut(context, s"training $training, which is not here")
      case Some(secret) =>
        val own = Handshake.nonce()
        val handshake = new Handshake(training, secret, address, nonce, own)
        greeted = Some((training, handshake))
        strangers.named(context.channel)
        send(context, Array(Handshake.Known), own, handshake.serverProof)
    }

  override protected def refused(context: ChannelHandlerContext, got: String): Unit =
    strangers.refuse(context.channel, got)
}

private object ServerGate {

  /** Headers of slices, and what Spark's authentication sends, are far smaller. */
  val MaxFrame = 1024
}
