package firesteel.train

import scala.collection.mutable

/** Closes what was added to it, the last first; can be used again afterwards. */
private[firesteel] final class Closing extends AutoCloseable {
  private val owned = mutable.Stack.empty[AutoCloseable]

  /** Adds something to be closed. */
  def add[T <: AutoCloseable](one: T): T = synchronized {
    owned.push(one)
    one
  }

  override def close(): Unit = synchronized {
    while (owned.nonEmpty) owned.pop().close()
  }
}
