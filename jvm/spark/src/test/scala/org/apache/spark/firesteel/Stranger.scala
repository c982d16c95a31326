package org.apache.spark.firesteel

import java.io.{EOFException, IOException}
import java.net.Socket
import java.nio.ByteBuffer
import java.util.UUID

import scala.collection.mutable

import org.apache.spark.network.protocol.Message

import firesteel.train.Address

/** A bare socket to an exchange, which can say anything. */
final class Stranger(val address: Address, socket: Socket) extends AutoCloseable {
  private val said = mutable.ArrayBuffer.empty[Byte]
  socket.setTcpNoDelay(true)
  socket.setSoTimeout(30000)

  def this(address: Address) = this(address, new Socket(address.host, address.port))

  /** All that was sent. */
  def spoken: Array[Byte] = said.toArray

  /** Sends bytes; what the other end does not want to hear any more is lost. */
  def send(bytes: Array[Byte]): Unit = {
    said ++= bytes
    try socket.getOutputStream.write(bytes)
    catch { case _: IOException => () }
  }

  /** Goes through the handshake, as one that called at `called`. */
  def enter(training: UUID, secret: UUID, called: Address = address): Unit = {
    val nonce = Handshake.nonce()
    send(Handshake.hello(training, nonce))
    if (read(1).head != Handshake.Known) throw new IOException("unknown")
    val handshake = new Handshake(training, secret, called, nonce, read(Handshake.Length))
    read(Handshake.Length)
    send(handshake.clientProof)
    if (read(1).head != Handshake.Known) throw new IOException("not welcome")
  }

  /** The next bytes that come. */
  def read(length: Int): Array[Byte] = {
    val bytes = socket.getInputStream.readNBytes(length)
    if (bytes.length < length) throw new EOFException(s"${bytes.length} bytes of $length")
    bytes
  }

  /** Nothing more will be sent, but it still listens. */
  def endSpeech(): Unit = socket.shutdownOutput()

  /** Waits until the other end has closed the connection. */
  def awaitRefusal(): Unit =
    try {
      while (socket.getInputStream.read() >= 0) {}
    } catch {
      case e: java.net.SocketTimeoutException => throw e
      case _: IOException => ()
    }

  override def close(): Unit = socket.close()
}

object Stranger {

  /** A message of Spark's network layer. */
  def message(kind: Int, payload: Array[Byte]): Array[Byte] =
    ByteBuffer
      .allocate(9 + payload.length)
      .putLong(9L + payload.length)
      .put(kind.toByte)
      .put(payload)
      .array()

  /** The message before a stream that says it has `length` bytes. */
  def upload(header: Array[Byte], length: Long): Array[Byte] =
    message(
      Message.Type.UploadStream.id.toInt,
      ByteBuffer
        .allocate(20 + header.length)
        .putLong(1)
        .putInt(header.length)
        .put(header)
        .putLong(length)
        .array()
    )
}
