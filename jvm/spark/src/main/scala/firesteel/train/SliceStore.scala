package firesteel.train

import java.nio.ByteBuffer
import java.util.concurrent.locks.ReentrantReadWriteLock

import scala.collection.mutable

import firesteel.jni.NativeBuffer

/** A range of the flat vector, in floats. */
private[train] final case class SliceRange(begin: Long, end: Long) {
  def floats: Long = end - begin
  def bytes: Long = floats * 4
}

/**
 * The slices that other executors sent to this one, in native memory.
 *
 * Weights are written straight to their place in the full vector of their iteration; gradients of
 * the own slice get a buffer each. A slice that is here already is not written again, so sending
 * twice is harmless; slices of the last iteration are kept until the next but one begins.
 * Tasks can wait for what is still to come: everything that arrives is notified.
 *
 * @param own number of the slice this executor owns
 * @param ranges all slices
 * @param shards number of shards S, which bounds the number of gradients
 * @param weights the full vector of an iteration
 */
private[train] final class SliceStore(
    own: Int,
    ranges: IndexedSeq[SliceRange],
    shards: Int,
    weights: Long => NativeBuffer
) extends AutoCloseable {
  private val lifetime = new ReentrantReadWriteLock
  private val arrivedWeights = mutable.Set.empty[SliceName]
  private val gradients = mutable.Map.empty[SliceName, NativeBuffer]
  private val spare = mutable.Queue.empty[NativeBuffer]
  @volatile private var current = 0L
  @volatile private var generation = 0
  @volatile private var stopped = -1L
  @volatile private var closed = false

  /** Begins an iteration: what is older than its predecessor is free. */
  def advance(iteration: Long): Unit = synchronized {
    current = iteration
    arrivedWeights.filterInPlace(_.iteration >= iteration - 1)
    val old = gradients.keysIterator.filter(_.iteration < iteration - 1).toSeq
    old.foreach(name => gradients.remove(name).foreach(spare.enqueue(_)))
  }

  /**
   * Back to the weights of `iteration`, as if nothing later had ever arrived; what is just arriving
   * is dropped.
   */
  def rollBack(iteration: Long): Unit = {
    lifetime.writeLock.lock()
    try synchronized {
        generation += 1
        current = iteration
        arrivedWeights.clear()
        publishAll(iteration)
        spare ++= gradients.values
        gradients.clear()
      }
    finally lifetime.writeLock.unlock()
  }

  /** Stops the group that began with `iteration`: nobody waits for its slices any more. */
  def stop(iteration: Long): Unit = synchronized {
    stopped = math.max(stopped, iteration)
    notifyAll()
  }

  /** Whether the group that began with `iteration` was stopped. */
  def isStopped(iteration: Long): Boolean = stopped >= iteration

  /** Waits until what this store holds makes `isDone` true; whether it does. */
  def await(patience: Patience)(isDone: => Boolean): Boolean = patience.await(this)(isDone)

  /** The own slice of an iteration's weights is in its place. */
  def publishOwn(iteration: Long): Unit = synchronized {
    arrivedWeights += SliceName(SliceKind.Weights, iteration, own)
  }

  /** All slices of an iteration's weights are in their place. */
  def publishAll(iteration: Long): Unit = synchronized {
    ranges.indices.foreach(arrivedWeights += SliceName(SliceKind.Weights, iteration, _))
  }

  /** Whether a slice of weights is in its place. */
  def hasWeights(iteration: Long, slice: Int): Boolean = synchronized {
    arrivedWeights(SliceName(SliceKind.Weights, iteration, slice))
  }

  /** The slices of an iteration's weights that are not here. */
  def missingWeights(iteration: Long): Seq[Int] =
    ranges.indices.filterNot(hasWeights(iteration, _))

  /** The own slice of a gradient, if it is here. */
  def gradient(iteration: Long, root: Root): Option[NativeBuffer] = synchronized {
    gradients.get(SliceName(SliceKind.Gradient, iteration, own, root))
  }

  /**
   * Where a slice that arrives goes.
   *
   * A slice that is here already or is out of date is taken and dropped; one that cannot be is
   * refused.
   */
  def sink(name: SliceName, bytes: Long): SliceSink = synchronized {
    refusal(name, bytes) match {
      case Some(reason) => new RefusingSink(reason)
      case None if name.kind != SliceKind.Stop && (name.iteration < current || isHere(name)) =>
        new DroppingSink
      case None =>
        name.kind match {
          case SliceKind.Stop => new StoppingSink(name.iteration)
          case SliceKind.Weights =>
            new StoringSink(name, weights(name.iteration), ranges(name.slice).begin * 4, bytes)
          case SliceKind.Gradient =>
            val buffer =
              if (spare.nonEmpty) spare.dequeue() else new NativeBuffer(ranges(own).bytes)
            new StoringSink(name, buffer, 0, bytes)
        }
    }
  }

  /** Frees everything; waits for the piece that is just being written, refuses the next. */
  override def close(): Unit = {
    lifetime.writeLock.lock()
    try synchronized {
        closed = true
        (gradients.values ++ spare).foreach(_.close())
        gradients.clear()
        spare.clear()
      }
    finally lifetime.writeLock.unlock()
  }

  private def isHere(name: SliceName): Boolean = arrivedWeights(name) || gradients.contains(name)

  private def refusal(name: SliceName, bytes: Long): Option[String] = {
    val isGradient = name.kind == SliceKind.Gradient
    ranges.lift(name.slice) match {
      case None => Some(s"there is no slice ${name.slice}")
      case _ if closed => Some("the training has ended")
      case _ if name.kind == SliceKind.Stop => Option.when(bytes != 0)(s"a stop of $bytes bytes")
      case _ if isGradient != (name.slice == own) =>
        Some(s"slice ${name.slice} of ${name.kind} belongs to another executor than $own")
      case _ if isGradient && !isRoot(name.root) => Some(s"there is no subtree ${name.root}")
      case _ if name.iteration > current + 1 =>
        Some(s"iteration ${name.iteration} is ahead of $current")
      case Some(range) if range.bytes != bytes => Some(s"expected ${range.bytes} bytes, got $bytes")
      case _ => None
    }
  }

  private def isRoot(root: Root): Boolean =
    root.first >= 0 && root.first < shards && root.level >= 0 && root.level < 31

  private def arrived(name: SliceName, buffer: NativeBuffer): Unit = synchronized {
    notifyAll()
    if (name.kind == SliceKind.Weights) {
      arrivedWeights += name
    } else if (closed || gradients.contains(name)) {
      dropped(name, buffer)
    } else {
      gradients.put(name, buffer)
    }
  }

  private def dropped(name: SliceName, buffer: NativeBuffer): Unit = synchronized {
    if (name.kind == SliceKind.Gradient) {
      if (closed) buffer.close() else spare.enqueue(buffer)
    }
  }

  private final class StoppingSink(iteration: Long) extends SliceSink {
    override def write(data: ByteBuffer): Unit = data.position(data.limit())
    override def complete(): Unit = stop(iteration)
    override def abort(): Unit = ()
  }

  private final class StoringSink(name: SliceName, buffer: NativeBuffer, offset: Long, bytes: Long)
      extends SliceSink {
    private val begun = generation
    private var written = 0L

    override def write(data: ByteBuffer): Unit = {
      lifetime.readLock.lock()
      try {
        if (closed) throw new IllegalStateException("firesteel exchange: the training has ended.")
        val length = data.remaining
        if (written + length > bytes) {
          throw new IllegalArgumentException(
            s"firesteel exchange: expected $bytes bytes of $name, got more."
          )
        }
        if (begun == generation) buffer.slice(offset + written, length).put(data)
        else data.position(data.limit())
        written += length
      } finally lifetime.readLock.unlock()
    }

    override def complete(): Unit =
      if (written == bytes && begun == generation) {
        arrived(name, buffer)
      } else {
        dropped(name, buffer)
        throw new IllegalArgumentException(
          s"firesteel exchange: expected $bytes bytes of $name, got $written."
        )
      }

    override def abort(): Unit = dropped(name, buffer)
  }
}

/** Takes a slice that is not needed. */
private[train] final class DroppingSink extends SliceSink {
  override def write(data: ByteBuffer): Unit = data.position(data.limit())
  override def complete(): Unit = ()
  override def abort(): Unit = ()
}

/** Takes a slice and tells the sender why it is refused, without harm to the connection. */
private[train] final class RefusingSink(reason: String) extends SliceSink {
  override def write(data: ByteBuffer): Unit = data.position(data.limit())
  override def complete(): Unit =
    throw new IllegalArgumentException(s"firesteel exchange: slice refused: $reason.")
  override def abort(): Unit = ()
}
