package firesteel.train

import java.nio.ByteBuffer
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap

import org.apache.spark.firesteel.Exchange

/** The trainings that this JVM takes part in. */
private[train] object TrainingHosts extends SliceReceiver {
  private val hosts = new ConcurrentHashMap[UUID, TrainingHost]

  /** Takes part in a training; replaces what an earlier attempt to do so left behind. */
  def open(spec: TrainingSpec, threads: Int): Unit = synchronized {
    release(spec.id)
    hosts.put(spec.id, new TrainingHost(spec, threads))
    ()
  }

  /** This JVM's part of a training, if it has one. */
  def find(id: UUID): Option[TrainingHost] = Option(hosts.get(id))

  /** Frees this JVM's part of a training, if there is one. */
  def release(id: UUID): Unit = Option(hosts.remove(id)).foreach { host =>
    host.close()
    Exchange.leave(id)
  }

  override def secret(training: UUID): Option[UUID] = find(training).map(_.spec.token)

  override def open(training: UUID, header: ByteBuffer, bytes: Long): SliceSink = {
    val slice = SliceHeader.decode(header)
    find(training) match {
      case None => new RefusingSink(s"training $training has ended here")
      case Some(host) =>
        host.slices(slice.view) match {
          case None => new RefusingSink(s"view ${slice.view} is over or has not begun")
          case Some(slices) => slices.sink(slice.name, bytes)
        }
    }
  }
}
