package firesteel.train

import java.nio.ByteBuffer
import java.util.concurrent.locks.ReentrantReadWriteLock

import scala.collection.mutable

import firesteel.jni.NativeBuffer

/**
 * The slices that other members sent to this one in a view, in native memory.
 *
 * Weights and state are written straight to their place in the vector of their iteration; gradients
 * of the own slice get a buffer each. A slice that is here already is not written again, so sending
 * twice is harmless; slices of the last iteration are kept until the next but one begins.
 * Tasks can wait for what is still to come: everything that arrives is notified.
 *
 * @param n number of this member
 * @param slots number of the optimizer's state vectors
 * @param gradientBytes bytes in which the own slice of a gradient travels
 * @param weights the full vector of an iteration
 * @param state where the state of a range is: the buffer of an iteration and a slot, and the offset
 *     in bytes
 */
private[train] final class SliceStore(
    view: View,
    n: Int,
    slots: Int,
    gradientBytes: Long,
    weights: Long => NativeBuffer,
    state: SliceName => Option[(NativeBuffer, Long)]
) extends AutoCloseable {
  private val own = view.slices(n)
  private val known = view.slices.toSet
  private val roots = view.tree.map(_.root).toSet
  private val lifetime = new ReentrantReadWriteLock
  private val arrivedWeights = mutable.Set.empty[(Long, SliceRange)]
  private val gradients = mutable.Map.empty[(Long, Root), NativeBuffer]
  private val sums = mutable.Map.empty[(Long, SliceRange), NativeBuffer]
  private val spare = mutable.Queue.empty[NativeBuffer]
  @volatile private var current = 0L
  @volatile private var stopped = -1L
  @volatile private var closed = false

  /** Begins an iteration: what is older than its predecessor is free. */
  def advance(iteration: Long): Unit = synchronized {
    current = iteration
    arrivedWeights.filterInPlace(_._1 >= iteration - 1)
    val old = gradients.keysIterator.filter(_._1 < iteration - 1).toSeq
    old.foreach(name => gradients.remove(name).foreach(spare.enqueue(_)))
    val past = sums.keysIterator.filter(_._1 < iteration - 1).toSeq
    past.foreach(name => sums.remove(name).foreach(_.close()))
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

  /** A slice of an iteration's weights is in its place. */
  def publish(iteration: Long, slice: SliceRange): Unit = synchronized {
    arrivedWeights += ((iteration, slice))
  }

  /** All slices of an iteration's weights are in their place. */
  def publishAll(iteration: Long): Unit = view.slices.foreach(publish(iteration, _))

  /** Whether the own slice of an iteration's weights is in its place. */
  def hasOwnWeights(iteration: Long): Boolean = synchronized(arrivedWeights((iteration, own)))

  /** The members whose slices of an iteration's weights are not here. */
  def missingWeights(iteration: Long): Seq[Int] = synchronized {
    view.members.indices.filterNot { member =>
      val slice = view.slices(member)
      slice.floats == 0 || arrivedWeights((iteration, slice))
    }
  }

  /** The own slice of a gradient, if it is here. */
  def gradient(iteration: Long, root: Root): Option[NativeBuffer] = synchronized {
    gradients.get((iteration, root))
  }

  /** What a member's slice adds to the sums over the vector, if it is here. */
  def sumsOf(iteration: Long, member: Int): Option[Array[Double]] = synchronized {
    sums.get((iteration, view.slices(member))).map { buffer =>
      val values = new Array[Double](Math.toIntExact(buffer.bytes / 8))
      buffer.slice(0, values.length * 8).asDoubleBuffer.get(values)
      values
    }
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
      case None if name.kind == SliceKind.Stop => new StoppingSink(name.iteration)
      case None if name.iteration < current || isHere(name) => new DroppingSink
      case None =>
        name.kind match {
          case SliceKind.Weights =>
            new StoringSink(name, weights(name.iteration), name.range.begin * 4, bytes)
          case SliceKind.State =>
            state(name).fold[SliceSink](new RefusingSink(s"$name is kept elsewhere")) {
              case (buffer, offset) => new StoringSink(name, buffer, offset, bytes)
            }
          case SliceKind.Sums => new StoringSink(name, new NativeBuffer(bytes), 0, bytes)
          case _ =>
            val buffer = if (spare.nonEmpty) spare.dequeue() else new NativeBuffer(gradientBytes)
            new StoringSink(name, buffer, 0, bytes)
        }
    }
  }

  /** Frees everything; waits for the piece that is just being written, refuses the next. */
  override def close(): Unit = {
    lifetime.writeLock.lock()
    try synchronized {
        closed = true
        (gradients.values ++ sums.values ++ spare).foreach(_.close())
        gradients.clear()
        sums.clear()
        spare.clear()
      }
    finally lifetime.writeLock.unlock()
  }

  private def isHere(name: SliceName): Boolean = name.kind match {
    case SliceKind.Weights => arrivedWeights((name.iteration, name.range))
    case SliceKind.Gradient => gradients.contains((name.iteration, name.root))
    case SliceKind.Sums => sums.contains((name.iteration, name.range))
    case SliceKind.State | SliceKind.Stop => false
  }

  private def refusal(name: SliceName, bytes: Long): Option[String] = {
    def elsewhere = Option.when(name.range == own)(s"${name.range} of ${name.kind} is its own")
    def unknown = Option.when(!known(name.range))(s"there is no slice ${name.range}")
    val ahead = Option.when(name.kind != SliceKind.Stop && name.iteration > current + 1) {
      s"iteration ${name.iteration} is ahead of $current"
    }
    def size(expected: Long) =
      Option.when(bytes != expected)(s"expected $expected bytes, got $bytes")
    Option.when(closed)("the training has ended").orElse(ahead).orElse(name.kind match {
      case SliceKind.Stop => size(0)
      case SliceKind.Weights =>
        // A newcomer gets all of the weights from others, later nobody but it makes its own.
        val isNew = name.iteration == current && !isHere(name)
        unknown.orElse(elsewhere.filterNot(_ => isNew)).orElse(size(name.range.bytes))
      case SliceKind.Sums =>
        val isFit = bytes % 8 == 0 && bytes <= SliceStore.MostSums * (name.range.floats + 4096)
        unknown.orElse(elsewhere).orElse(Option.when(!isFit)(s"sums of $bytes bytes"))
      case SliceKind.State =>
        val isSlot = name.slot >= 0 && name.slot < slots
        Option.when(!isSlot)(s"there is no state ${name.slot}").orElse(size(name.range.bytes))
      case SliceKind.Gradient =>
        Option
          .when(name.range != own)(s"${name.range} of a gradient belongs to another than $own")
          .orElse(Option.when(!roots(name.root))(s"there is no subtree ${name.root}"))
          .orElse(size(gradientBytes))
    })
  }

  private def arrived(name: SliceName, buffer: NativeBuffer): Unit = synchronized {
    notifyAll()
    name.kind match {
      case SliceKind.Weights => publish(name.iteration, name.range)
      case SliceKind.Gradient if !closed && !isHere(name) =>
        gradients.put((name.iteration, name.root), buffer)
      case SliceKind.Sums if !closed && !isHere(name) =>
        sums.put((name.iteration, name.range), buffer)
      case _ => dropped(name, buffer)
    }
  }

  private def dropped(name: SliceName, buffer: NativeBuffer): Unit = synchronized {
    name.kind match {
      case SliceKind.Gradient if !closed => spare.enqueue(buffer)
      case SliceKind.Gradient | SliceKind.Sums => buffer.close()
      case _ => ()
    }
  }

  private final class StoppingSink(iteration: Long) extends SliceSink {
    override def write(data: ByteBuffer): Unit = data.position(data.limit())
    override def complete(): Unit = stop(iteration)
    override def abort(): Unit = ()
  }

  private final class StoringSink(name: SliceName, buffer: NativeBuffer, offset: Long, bytes: Long)
      extends SliceSink {
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
        buffer.slice(offset + written, length).put(data)
        written += length
      } finally lifetime.readLock.unlock()
    }

    override def complete(): Unit =
      if (written == bytes) {
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

private object SliceStore {

  /** Bytes of sums that a float may have: optimizers sum over ranges of thousands of floats. */
  private val MostSums = 2L
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
