package firesteel.train

import java.nio.ByteBuffer

import scala.collection.mutable
import scala.util.Try

import org.apache.spark.firesteel.Exchange

import firesteel.jni.NativeBuffer

/**
 * Sends slices to the other members of a view and waits until they have arrived.
 *
 * The memory of a slice must not change while it is on its way, so every phase begins with
 * [[awaitAll]].
 */
private[train] final class Outbox(spec: TrainingSpec, view: View) {
  private lazy val exchange = Exchange.of(TrainingHosts)
  private var underway = 0
  private val unreached = mutable.SortedSet.empty[Int]

  /** Connects to all others, so that the end of one is noticed; false if one cannot be reached. */
  def connect(others: Seq[Int]): Boolean =
    Try(others.foreach(peer => exchange.connect(addressOf(peer)))).isSuccess

  /** Starts sending a slice to a member: the bytes of `buffer` from `offset` on. */
  def send(peer: Int, name: SliceName, buffer: NativeBuffer, offset: Long): Unit =
    if (name.range.floats > 0) {
      send(peer, name, buffer.slice(offset, Math.toIntExact(name.range.bytes)))
    }

  /** Starts sending a slice to a member. */
  def send(peer: Int, name: SliceName, body: ByteBuffer): Unit = {
    synchronized(underway += 1)
    exchange.push(
      addressOf(peer),
      header(name, body.remaining.toLong),
      body,
      failure => delivered(peer, failure.isEmpty)
    )
  }

  /** Tells a member to stop the group that began with `iteration`, as far as it can be told. */
  def sendStop(peer: Int, iteration: Long): Unit = {
    val name = SliceName(SliceKind.Stop, iteration, SliceRange(0, 0))
    exchange.push(addressOf(peer), header(name, 0), ByteBuffer.allocate(0), _ => ())
  }

  /** Waits until nothing is underway; true if so in time. */
  def awaitAll(patience: Patience): Boolean = patience.await(this)(underway == 0)

  /** Whether a slice did not reach a member since [[takeUnreached]], or the way to one is broken. */
  def isBroken: Boolean =
    synchronized(unreached.nonEmpty) ||
      view.members.exists(_.address.exists(exchange.isDisconnected))

  /** The members that were not reached since the last call. */
  def takeUnreached(): Seq[Int] = synchronized {
    val peers = unreached.toSeq
    unreached.clear()
    peers
  }

  /** Ends the connections to all members, so that nothing is underway any more. */
  def breakOff(): Unit = view.members.flatMap(_.address).foreach(exchange.disconnect)

  private def header(name: SliceName, bytes: Long): ByteBuffer =
    SliceHeader(spec.id, spec.token, view.number, name, bytes).encode

  private def addressOf(peer: Int): Address = {
    val member = view.members(peer)
    member.address.getOrElse(
      throw new IllegalStateException(
        s"training ${spec.id}: expected executor ${member.executor.id} to receive slices, got none."
      )
    )
  }

  private def delivered(peer: Int, arrived: Boolean): Unit = synchronized {
    underway -= 1
    if (!arrived) unreached += peer
    notifyAll()
  }
}
