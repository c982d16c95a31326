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
 * a handshake takes milliseconds, so those who belong here get in however many others come. Those
 * who can name a training wait apart, so that a flood of others does not crowd them out.
 */
private[firesteel] final class Strangers extends Logging {
  private val silent, acquainted = mutable.LinkedHashSet.empty[Channel]
  private val sparingly = new Sparingly(() => System.nanoTime)

  /** A connection has come in. */
  def arrived(channel: Channel): Unit = {
    await(silent, channel)
    channel.closeFuture().addListener((_: Future[_ >: Void]) => left(channel))
    val late: Runnable = () =>
      if (left(channel)) refuse(channel, s"no handshake in ${Strangers.Seconds} s")
    channel.eventLoop().schedule(late, Strangers.Seconds, TimeUnit.SECONDS)
    ()
  }

  /** A connection has named a training that is here. */
  def named(channel: Channel): Unit = if (left(channel)) await(acquainted, channel)

  /** A connection is no stranger any more; false if it was none, or has been refused. */
  def left(channel: Channel): Boolean =
    synchronized(silent.remove(channel) || acquainted.remove(channel))

  private def await(waiting: mutable.LinkedHashSet[Channel], channel: Channel): Unit = {
    val eldest = synchronized {
      waiting += channel
      Option.when(waiting.size > Strangers.Limit)(waiting.head).filter(waiting.remove)
    }
    eldest.foreach(refuse(_, s"no handshake while ${Strangers.Limit} others came"))
  }

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

  /** Connections of each sort that may wait at a time. */
  val Limit = 512

  /** For how long one may wait. */
  val Seconds = 10L

  /** Characters of a reason, which a stranger may have made long. */
  val MaxReason = 200
}
