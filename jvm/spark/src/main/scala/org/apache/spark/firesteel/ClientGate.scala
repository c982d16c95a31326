package org.apache.spark.firesteel

import java.io.IOException
import java.util.UUID
import java.util.concurrent.CompletableFuture

import io.netty.buffer.ByteBuf
import io.netty.channel.{Channel, ChannelHandlerContext}
import org.apache.spark.network.protocol.Message

import firesteel.train.Address

/** The gate of a connection that goes out: whoever is there must know the training's secret too. */
private[firesteel] final class ClientGate extends Gate(ClientGate.Kinds, ClientGate.MaxFrame) {
  private val nonce = Handshake.nonce()
  private val isIn = new CompletableFuture[Boolean]
  private var prove: Option[(Array[Byte], Array[Byte]) => Option[Array[Byte]]] = None
  private var hasAnswered = false

  /**
   * Goes through the handshake; false if it was cut off without a word.
   *
   * @param channel the gate's own
   * @param server the address that was called
   */
  def enter(
      channel: Channel,
      training: UUID,
      secret: UUID,
      server: Address
  ): CompletableFuture[Boolean] = {
    channel.eventLoop().execute { () =>
      prove = Some { (other, proof) =>
        val handshake = new Handshake(training, secret, server, nonce, other)
        Option.when(Handshake.isEqual(proof, handshake.serverProof))(handshake.clientProof)
      }
      Option(channel.pipeline().context(this)) match {
        case Some(context) => send(context, Handshake.hello(training, nonce))
        case None => isIn.complete(false)
      }
      ()
    }
    isIn
  }

  override protected def shake(context: ChannelHandlerContext, in: ByteBuf): Unit =
    if (in.getByte(in.readerIndex) != Handshake.Known) {
      shut(context, "one that does not know it")
    } else if (hasAnswered) {
      in.skipBytes(1)
      open()
      isIn.complete(true)
      ()
    } else if (in.readableBytes >= 1 + 2 * Handshake.Length) {
      in.skipBytes(1)
      val (other, proof) = (take(in, Handshake.Length), take(in, Handshake.Length))
      prove.flatMap(_(other, proof)) match {
        case Some(answer) =>
          hasAnswered = true
          send(context, answer)
        case None => shut(context, "one with another secret")
      }
    }

  override protected def refused(context: ChannelHandlerContext, got: String): Unit = {
    isIn.completeExceptionally(
      new IOException(
        s"firesteel exchange at ${context.channel.remoteAddress}: expected a member of the " +
          s"training, got $got."
      )
    )
    ()
  }

  override def exceptionCaught(context: ChannelHandlerContext, cause: Throwable): Unit =
    if (isIn.isDone) {
      super.exceptionCaught(context, cause)
    } else {
      context.close()
      ()
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
