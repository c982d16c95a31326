package org.apache.spark.firesteel

import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.network.client.{RpcResponseCallback, StreamCallbackWithID, TransportClient}
import org.apache.spark.network.server.{OneForOneStreamManager, RpcHandler, StreamManager}

import firesteel.train.{SliceReceiver, SliceSink}

/** Hands the slices of a connection to the training to which it belongs; takes nothing else. */
private[firesteel] final class SliceHandler(receiver: SliceReceiver, gate: ServerGate)
    extends RpcHandler {
  private val streams = new OneForOneStreamManager

  override def getStreamManager: StreamManager = streams

  override def receive(
      client: TransportClient,
      message: ByteBuffer,
      callback: RpcResponseCallback
  ): Unit = Gate.cut(client.getChannel)

  override def receiveStream(
      client: TransportClient,
      header: ByteBuffer,
      callback: RpcResponseCallback
  ): StreamCallbackWithID =
    new SliceHandler.Stream(receiver.open(gate.training, header, gate.bodyLength))
}

private object SliceHandler {

  /** Spark can report the end of a stream more than once; a sink ends once. */
  final class Stream(sink: SliceSink) extends StreamCallbackWithID {
    private val isOver = new AtomicBoolean

    override def getID: String = "firesteel"

    override def onData(id: String, data: ByteBuffer): Unit = sink.write(data)

    override def onComplete(id: String): Unit =
      if (isOver.compareAndSet(false, true)) sink.complete()

    override def onFailure(id: String, cause: Throwable): Unit =
      if (isOver.compareAndSet(false, true)) sink.abort()
  }
}
