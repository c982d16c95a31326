package org.apache.spark.firesteel

import java.io.IOException
import java.util.UUID
import java.util.concurrent.CompletableFuture

import io.netty.buffer.ByteBuf
import io.netty.channel.ChannelHandlerContext
import org.apache.spark.network.protocol.Message

import firesteel.train.Address

/** The gate of a connection to `server`: whoever answers there must know the training's secret too. */
private[firesteel] final class ClientGate(training: UUID, secret: UUID, server: Address)
    extends Gate(ClientGate.Kinds, ClientGate.MaxFrame) {
  private val nonce = Handshake.nonce()
  private var hasAnswered = false

  /** Done when the handshake is; false if it was cut off. */
  val isIn: CompletableFuture[Boolean] = new CompletableFuture[Boolean]

  override def handlerAdded(context: ChannelHandlerContext): Unit =
    send(context, Handshake.hello(training, nonce))

  override protected def shake(context: ChannelHandlerContext, in: ByteBuf): Unit =
    if (!hasAnswered && in.readableBytes >= 2 * Handshake.Length) {
      hasAnswered = true
      val other = take(in, Handshake.Length)
      val handshake = new Handshake(training, secret, server, nonce, other)
      if (Handshake.isEqual(take(in, Handshake.Length), handshake.serverProof)) {
        send(context, handshake.clientProof)
      } else {
        shut(context, "a wrong proof")
      }
    } else if (hasAnswered && in.readByte() == Handshake.Welcome) {
      open()
      isIn.complete(true)
      ()
    } else if (hasAnswered) {
      shut(context, "no welcome")
    }

  override protected def refused(context: ChannelHandlerContext, got: String): Unit = {
    isIn.completeExceptionally(
      new IOException(
        s"firesteel exchange at ${server.host}:${server.port}: expected a member of training " +
          s"$training, got $got."
      )
    )
    ()
  }

  override def exceptionCaught(context: ChannelHandlerContext, cause: Throwable): Unit =
    if (isIn.complete(false)) {
      context.close()
      ()
    } else {
      super.exceptionCaught(context, cause)
    }

  override def channelInactive(context: ChannelHandlerContext): Unit = {
    isIn.complete(false)
    super.channelInactive(context)
  }
}

private object ClientGate {
  val Kinds: Set[Message.Type] = Set(Message.Type.RpcResponse, Message.Type.RpcFailure)

  /** The stack trace of a refusal has its place in it. */
  val MaxFrame: Int = 64 * 1024
}
