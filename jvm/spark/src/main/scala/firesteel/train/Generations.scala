package firesteel.train

import scala.collection.mutable

import firesteel.jni.NativeBuffer

/**
 * A vector that every iteration makes anew from that of the iteration before: the weights, or the
 * optimizer's state.
 *
 * The vector of one iteration is kept as it is until [[keep]] names another: all that follow take
 * turns in the other buffers. Iterations one at a time need two buffers, groups of iterations three.
 *
 * @param bytes size of the vector
 */
private[train] final class Generations(bytes: Long) extends AutoCloseable {
  private val buffers = mutable.ArrayBuffer.empty[NativeBuffer]
  private var start = 0L
  private var kept = 0

  try Seq.fill(2)(buffers += new NativeBuffer(bytes))
  catch {
    case e: Throwable =>
      close()
      throw e
  }

  /** The vector of an iteration, that of the kept one or of the two before the end. */
  def apply(iteration: Long): NativeBuffer = synchronized(buffers(place(iteration)))

  /** From now on the vector of `iteration` is the one that stays as it is. */
  def keep(iteration: Long): Unit = synchronized {
    kept = place(iteration)
    start = iteration
  }

  /**
   * Allocates what groups need.
   *
   * @throws firesteel.NativeMemoryException if the memory cannot be had
   */
  def grow(): Unit = synchronized {
    if (buffers.length == 2) buffers += new NativeBuffer(bytes)
  }

  /** Frees what only groups need, unless it is in use. */
  def shrink(): Unit = synchronized {
    if (buffers.length == 3 && kept < 2) buffers.remove(2).close()
  }

  override def close(): Unit = synchronized {
    buffers.foreach(_.close())
    buffers.clear()
  }

  private def place(iteration: Long): Int = {
    val others = (0 to 2).filter(_ != kept)
    if (iteration == start) kept else others(((iteration - start + 1) % 2).toInt)
  }
}
