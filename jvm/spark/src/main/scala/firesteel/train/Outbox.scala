package firesteel.train

import java.nio.ByteBuffer

import scala.collection.mutable

import org.apache.spark.firesteel.Connections

import firesteel.jni.NativeBuffer

/**
 * Sends slices to the other tasks of a training and waits until they have arrived.
 *
 * The memory of a slice must not change while it is on its way, so every phase begins with
 * [[awaitAll]].
 */
private[train] final class Outbox(
    connections: Connections,
    peers: IndexedSeq[Address]
) {
  private var underway = 0
  private val unreached = mutable.SortedSet.empty[Int]

  /** Starts sending `range` of `buffer` to task `peer`. */
  def send(peer: Int, name: SliceName, buffer: NativeBuffer, range: SliceRange): Unit = {
    val header = SliceHeader(name).encode
    val body = buffer.slice(range.begin * 4, Math.toIntExact(range.bytes))
    synchronized(underway += 1)
    connections.push(peers(peer), header, body, failure => delivered(peer, failure.isEmpty))
  }

  /** Tells task `peer` to stop the group that began with `iteration`, as far as it can be told. */
  def sendStop(peer: Int, iteration: Long): Unit = {
    val name = SliceName(SliceKind.Stop, iteration, peer)
    val header = SliceHeader(name).encode
    connections.push(peers(peer), header, ByteBuffer.allocate(0), _ => ())
  }

  /** Waits until nothing is underway; true if so in time. */
  def awaitAll(patience: Patience): Boolean = patience.await(this)(underway == 0)

  /** Whether a slice did not reach a task since [[takeUnreached]], or the way to one is broken. */
  def isBroken: Boolean =
    synchronized(unreached.nonEmpty) || peers.exists(connections.isDisconnected)

  /** The tasks that were not reached since the last call. */
  def takeUnreached(): Seq[Int] = synchronized {
    val peers = unreached.toSeq
    unreached.clear()
    peers
  }

  private def delivered(peer: Int, arrived: Boolean): Unit = synchronized {
    underway -= 1
    if (!arrived) unreached += peer
    notifyAll()
  }
}
