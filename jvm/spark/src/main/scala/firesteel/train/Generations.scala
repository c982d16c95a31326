package firesteel.train

import scala.collection.mutable

import firesteel.jni.NativeBuffer

/**
 * A vector that every iteration makes anew from that of the iteration before: the weights, or the
 * optimizer's state.
 *
 * The vector of one iteration is kept as it is until [[keep]] names another: all that follow take
 * turns in the other buffers, the oldest gives way. Iterations one at a time need two buffers, groups
 * of iterations three.
 *
 * @param bytes size of the vector
 */
private[train] final class Generations(bytes: Long) extends AutoCloseable {
  private final class Slot(val buffer: NativeBuffer) {
    var iteration: Long = Generations.Nothing
  }

  private val slots = mutable.ArrayBuffer.empty[Slot]
  private var kept = Option.empty[Long]

  try Seq.fill(2)(slots += new Slot(new NativeBuffer(bytes)))
  catch {
    case e: Throwable =>
      close()
      throw e
  }

  /**
   * The vector of an iteration.
   *
   * @throws java.lang.IllegalStateException if it is not here
   */
  def apply(iteration: Long): NativeBuffer = synchronized(slotOf(iteration).buffer)

  /** The buffer in which the vector of `iteration` is or will be. */
  def claim(iteration: Long): NativeBuffer = synchronized {
    val slot = find(
      iteration
    ).getOrElse(slots.filterNot(one => kept.contains(one.iteration)).minBy(_.iteration))
    slot.iteration = iteration
    slot.buffer
  }

  /**
   * From now on the vector of `iteration` is the one that stays as it is.
   *
   * @throws java.lang.IllegalStateException if it is not here
   */
  def keep(iteration: Long): Unit = synchronized {
    kept = Some(slotOf(iteration).iteration)
  }

  /** Forgets the vectors of all iterations after this one. */
  def forgetAfter(iteration: Long): Unit = synchronized {
    slots.filter(_.iteration > iteration).foreach(_.iteration = Generations.Nothing)
  }

  /** Whether the vector of an iteration is here. */
  def has(iteration: Long): Boolean = synchronized(find(iteration).isDefined)

  /**
   * Allocates what groups need.
   *
   * @throws firesteel.NativeMemoryException if the memory cannot be had
   */
  def grow(): Unit = synchronized {
    if (slots.length == 2) slots += new Slot(new NativeBuffer(bytes))
  }

  /** Frees what only groups need, unless it is in use. */
  def shrink(): Unit = synchronized {
    if (slots.length == 3 && !kept.contains(slots(2).iteration)) slots.remove(2).buffer.close()
  }

  override def close(): Unit = synchronized {
    slots.foreach(_.buffer.close())
    slots.clear()
  }

  private def slotOf(iteration: Long): Slot = find(iteration).getOrElse(
    throw new IllegalStateException(
      s"generations: expected iteration $iteration, got ${slots.map(_.iteration).mkString(", ")}."
    )
  )

  private def find(iteration: Long): Option[Slot] = slots.find(_.iteration == iteration)
}

private object Generations {
  private val Nothing = -1L
}
