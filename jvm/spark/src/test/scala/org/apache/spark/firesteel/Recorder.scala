package org.apache.spark.firesteel

import java.nio.ByteBuffer
import java.util.UUID
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger

import scala.jdk.CollectionConverters._

import firesteel.train.{SliceReceiver, SliceSink}

/** Keeps the slices of some trainings; refuses those longer than `limit` before their first byte. */
final class Recorder(secrets: Map[UUID, UUID], limit: Int = 1 << 20) extends SliceReceiver {
  private val slices = new ConcurrentLinkedQueue[(UUID, String, Seq[Byte])]

  /** How often a secret was asked for, a sink was opened, and one came to an end. */
  val asked, opened, ended = new AtomicInteger

  /** The slices of a training that came whole, by header. */
  def arrived(training: UUID): Map[String, Seq[Byte]] =
    slices.asScala.collect { case (`training`, header, bytes) => header -> bytes }.toMap

  override def secret(training: UUID): Option[UUID] = {
    asked.incrementAndGet()
    secrets.get(training)
  }

  override def open(training: UUID, header: ByteBuffer, bytes: Long): SliceSink = {
    opened.incrementAndGet()
    val name = new Array[Byte](header.remaining)
    header.get(name)
    if (bytes > limit) new Refusal
    else new Sink(training, new String(name, "UTF-8"), ByteBuffer.allocate(bytes.toInt))
  }

  private final class Refusal extends SliceSink {
    override def write(data: ByteBuffer): Unit = data.position(data.limit())
    override def complete(): Unit = {
      ended.incrementAndGet()
      throw new IllegalArgumentException("slice refused: too long.")
    }
    override def abort(): Unit = { ended.incrementAndGet(); () }
  }

  private final class Sink(training: UUID, name: String, bytes: ByteBuffer) extends SliceSink {
    override def write(data: ByteBuffer): Unit = { bytes.put(data); () }
    override def complete(): Unit = {
      ended.incrementAndGet()
      slices.add((training, name, bytes.array.toSeq))
      ()
    }
    override def abort(): Unit = { ended.incrementAndGet(); () }
  }
}
