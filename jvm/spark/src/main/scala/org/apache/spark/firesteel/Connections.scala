package org.apache.spark.firesteel

import java.io.IOException
import java.nio.ByteBuffer
import java.util.concurrent.{CompletableFuture, ConcurrentHashMap, Executor, Future}
import java.util.concurrent.atomic.AtomicBoolean

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.apache.spark.network.buffer.NioManagedBuffer
import org.apache.spark.network.client.{RpcResponseCallback, TransportClient}

import firesteel.train.Address

/**
 * The connections over which one training's slices leave this executor.
 *
 * Nothing here blocks: a connection is made on a thread of its own, and what is sent meanwhile
 * follows when it is there.
 *
 * @param dial makes a connection, or throws
 * @param dialers where `dial` runs
 */
final class Connections private[firesteel] (dial: Address => TransportClient, dialers: Executor)
    extends AutoCloseable {
  private val connections = new ConcurrentHashMap[Address, CompletableFuture[TransportClient]]
  @volatile private var closed = false

  /**
   * Makes the connection now, so that its end is seen even if nothing is sent; done when it is there,
   * with the reason if it cannot be had.
   */
  def connect(to: Address): Future[_] = connection(to)

  /** Whether the connection to this address has ended, or could not be made. */
  def isDisconnected(to: Address): Boolean = Option(connections.get(to)).exists(isBroken)

  /** Ends the connection to this address, if there is one: what is underway fails at once. */
  def disconnect(to: Address): Unit = Option(connections.remove(to)).foreach(end)

  /**
   * Sends `body`, which must not change until `done` is called, once: with the reason if the slice
   * did not arrive.
   */
  def push(
      to: Address,
      header: ByteBuffer,
      body: ByteBuffer,
      done: Option[Throwable] => Unit
  ): Unit = {
    val delivery = new Connections.Delivery(done)
    connection(to).whenComplete { (client, failure) =>
      if (Option(failure).nonEmpty) {
        delivery.onFailure(failure)
      } else {
        try {
          client.uploadStream(new NioManagedBuffer(header), new NioManagedBuffer(body), delivery)
          ()
        } catch {
          case NonFatal(e) => delivery.onFailure(e)
        }
      }
    }
    ()
  }

  /** Ends all connections, for good. */
  override def close(): Unit = {
    closed = true
    connections.keySet.asScala.foreach(disconnect)
  }

  private def connection(to: Address): CompletableFuture[TransportClient] =
    connections.compute(
      to,
      (_, old) => Option(old).filterNot(isBroken).getOrElse(connecting(to))
    )

  private def connecting(to: Address): CompletableFuture[TransportClient] =
    if (closed) {
      CompletableFuture.failedFuture(Connections.ended)
    } else {
      val connection = new CompletableFuture[TransportClient]
      dialers.execute { () =>
        try {
          val client = dial(to)
          if (closed || !connection.complete(client)) client.getChannel.close()
        } catch {
          // Whoever waits must hear of it, whatever it is.
          case e: Throwable => connection.completeExceptionally(e)
        }
        ()
      }
      connection
    }

  private def isBroken(connection: CompletableFuture[TransportClient]): Boolean =
    connection.isDone && (connection.isCompletedExceptionally || !connection.join.isActive)

  private def end(connection: CompletableFuture[TransportClient]): Unit = {
    connection.completeExceptionally(Connections.ended)
    connection.thenAccept(client => { client.getChannel.close(); () })
    ()
  }
}

private object Connections {

  private def ended: IOException =
    new IOException("firesteel exchange: the connection was ended on this side.")

  /** Spark's client can report the same failure twice: once from the write, once from the channel. */
  final class Delivery(done: Option[Throwable] => Unit) extends RpcResponseCallback {
    private val isOver = new AtomicBoolean

    override def onSuccess(response: ByteBuffer): Unit = end(None)
    override def onFailure(e: Throwable): Unit = end(Some(e))

    private def end(failure: Option[Throwable]): Unit =
      if (isOver.compareAndSet(false, true)) done(failure)
  }
}
