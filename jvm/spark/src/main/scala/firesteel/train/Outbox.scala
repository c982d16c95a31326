package firesteel.train

import java.nio.ByteBuffer

import scala.collection.mutable
import scala.util.Try

import org.apache.spark.firesteel.Exchange
import org.apache.spark.internal.Logging

import firesteel.jni.NativeBuffer

/**
 * Sends slices to the other members of a view and waits until they have arrived.
 *
 * The memory of a slice must not change while it is on its way, so every phase begins with
 * [[awaitAll]].
 */
private[train] final class Outbox(spec: TrainingSpec, view: View, clock: TaskClock)
    extends Logging {
  private lazy val connections = Exchange.of(TrainingHosts).connections(spec.id, spec.token)
  private val underway = mutable.SortedMap.empty[Int, Int].withDefaultValue(0)
  private val unreached = mutable.SortedSet.empty[Int]

  /** Connects to all others, so that the end of one is noticed; false if one cannot be reached. */
  def connect(others: Seq[Int]): Boolean =
    Try(others.map(addressOf).map(connections.connect).foreach(_.get())).isSuccess

  /** Starts sending a slice to a member: the bytes of `buffer` from `offset` on. */
  def send(peer: Int, name: SliceName, buffer: NativeBuffer, offset: Long): Unit =
    if (name.range.floats > 0) {
      send(peer, name, buffer.slice(offset, Math.toIntExact(name.range.bytes)))
    }

  /** Starts sending a slice to a member. */
  def send(peer: Int, name: SliceName, body: ByteBuffer): Unit = {
    synchronized(underway(peer) += 1)
    clock.sending(body.remaining.toLong)
    connections.push(
      addressOf(peer),
      header(name),
      body,
      failure => delivered(peer, name, failure)
    )
  }

  /** Tells a member to stop the group that began with `iteration`, as far as it can be told. */
  def sendStop(peer: Int, iteration: Long): Unit =
    send(peer, SliceName(SliceKind.Stop, iteration, SliceRange(0, 0)), ByteBuffer.allocate(0))

  /** Waits until nothing is underway; true if so in time. */
  def awaitAll(patience: Patience): Boolean = patience.await(this)(underway.isEmpty)

  /** The members that have not answered yet that what was sent has arrived. */
  def unanswered: Seq[Int] = synchronized(underway.keys.toSeq)

  /** Whether a slice did not reach a member since [[takeUnreached]], or the way to one is broken. */
  def isBroken: Boolean =
    synchronized(unreached.nonEmpty) ||
      view.members.exists(_.address.exists(connections.isDisconnected))

  /** The members that were not reached since the last call. */
  def takeUnreached(): Seq[Int] = synchronized {
    val peers = unreached.toSeq
    unreached.clear()
    peers
  }

  /** Ends the connections to all members, so that nothing is underway any more. */
  def breakOff(): Unit = view.members.flatMap(_.address).foreach(connections.disconnect)

  private def header(name: SliceName): ByteBuffer = SliceHeader(view.number, name).encode

  private def addressOf(peer: Int): Address = {
    val member = view.members(peer)
    member.address.getOrElse(
      throw new IllegalStateException(
        s"training ${spec.id}: expected executor ${member.executor.id} to receive slices, got none."
      )
    )
  }

  private def delivered(peer: Int, name: SliceName, failure: Option[Throwable]): Unit =
    synchronized {
      underway(peer) -= 1
      if (underway(peer) == 0) underway -= peer
      failure.foreach { cause =>
        logWarning(s"$name did not reach executor ${view.members(peer).executor.id}: $cause")
        unreached += peer
      }
      notifyAll()
    }
}
