package firesteel.train

import java.util.concurrent.TimeUnit

import scala.collection.mutable

import org.apache.spark.firesteel.Exchange

import firesteel.jni.NativeBuffer

/**
 * Sends slices to the other tasks of a training and waits until they have arrived.
 *
 * The memory of a slice must not change while it is on its way, so every phase begins with
 * [[awaitAll]].
 */
private[train] final class Outbox(
    spec: TrainingSpec,
    exchange: Exchange,
    peers: IndexedSeq[Address],
    timeoutSeconds: Int
) {
  private var underway = 0
  private val unreached = mutable.SortedSet.empty[Int]

  /** Starts sending `range` of `buffer` to task `peer`. */
  def send(peer: Int, name: SliceName, buffer: NativeBuffer, range: SliceRange): Unit = {
    val header = SliceHeader(spec.id, spec.token, name, range.bytes).encode
    val body = buffer.slice(range.begin * 4, Math.toIntExact(range.bytes))
    synchronized(underway += 1)
    exchange.push(peers(peer), header, body, failure => delivered(peer, failure.isEmpty))
  }

  /** Waits until nothing is underway; true if so before the time-out. */
  def awaitAll(): Boolean = synchronized {
    val deadline = System.nanoTime + TimeUnit.SECONDS.toNanos(timeoutSeconds.toLong)
    var left = deadline - System.nanoTime
    while (underway > 0 && left > 0) {
      TimeUnit.NANOSECONDS.timedWait(this, left)
      left = deadline - System.nanoTime
    }
    underway == 0
  }

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
