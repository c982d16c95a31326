package org.apache.spark.firesteel

import java.net.InetSocketAddress
import java.util.concurrent.TimeUnit

import scala.collection.mutable

import io.netty.channel.Channel
import io.netty.util.concurrent.Future
import org.apache.spark.internal.Logging

/**
 * The connections that have not yet proved where they belong.
 *
 * Their number and their time are bounded. When there are too many, the one that waits longest goes:
 * a handshake takes milliseconds, so those who belong here get in however many others come.
 */
private[firesteel] final class Strangers extends Logging {
  private val waiting = mutable.LinkedHashSet.empty[Channel]
  private val sparingly = new Sparingly(() => System.nanoTime)

  /** A connection has come in. */
  def arrived(channel: Channel): Unit = {
    val eldest = synchronized {
      waiting += channel
      Option.when(waiting.size > Strangers.Limit)(waiting.head)
    }
    eldest.foreach(refuse(_, s"no handshake while ${Strangers.Limit} others came"))
    channel.closeFuture().addListener((_: Future[_ >: Void]) => left(channel))
    val late: Runnable = () =>
      if (contains(channel)) refuse(channel, s"no handshake in ${Strangers.Seconds} s")
    channel.eventLoop().schedule(late, Strangers.Seconds, TimeUnit.SECONDS)
    ()
  }

  /** A connection has ended, or is no stranger any more. */
  def left(channel: Channel): Unit = synchronized {
    waiting -= channel
  }

  /** Whether a connection still has to prove where it belongs. */
  def contains(channel: Channel): Boolean = synchronized(waiting(channel))

  /** Ends a connection because it sent `got`. */
  def refuse(channel: Channel, got: String): Unit = {
    val host = channel.remoteAddress match {
      case remote: InetSocketAddress => remote.getAddress.getHostAddress
      case other => String.valueOf(other)
    }
    left(channel)
    channel.close()
    sparingly.line(host).foreach { omitted =>
      logWarning(
        s"firesteel exchange: refused $host, got ${got.take(Strangers.MaxReason)}$omitted. " +
          "Only the executors of a training have anything to send here."
      )
    }
  }
}

private object Strangers {

  /** Connections that may wait at a time. */
  val Limit = 1024

  /** For how long one may wait. */
  val Seconds = 10L

  /** Characters of a reason, which a stranger may have made long. */
  val MaxReason = 200
}
