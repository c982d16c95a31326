package firesteel.train

import java.util.concurrent.TimeUnit

/**
 * How long a task waits for what other threads bring.
 *
 * @param limitMs longest time of one wait in milliseconds
 * @param isOver whether waiting is no use any more; looked at fifty times a second, since nobody
 *     notifies a task that Spark has killed or whose peer has died
 */
private[train] final class Patience(limitMs: Long, isOver: () => Boolean) {

  /**
   * Waits on `monitor`, which is notified of every change, until `isDone`; whether it is.
   *
   * An interrupt alone does not end it, since memory may be in use until it is done; the thread is
   * interrupted afterwards.
   */
  def await(monitor: AnyRef)(isDone: => Boolean): Boolean = monitor.synchronized {
    val deadline = System.nanoTime + TimeUnit.MILLISECONDS.toNanos(limitMs)
    var left = deadline - System.nanoTime
    var interrupted = false
    while (!isDone && !isOver() && left > 0) {
      try TimeUnit.NANOSECONDS.timedWait(monitor, math.min(left, Patience.LookNs))
      catch { case _: InterruptedException => interrupted = true }
      left = deadline - System.nanoTime
    }
    if (interrupted) Thread.currentThread.interrupt()
    isDone
  }
}

private[train] object Patience {
  private val LookNs = TimeUnit.MILLISECONDS.toNanos(20)

  /** Waits for some seconds, whatever happens. */
  def seconds(limit: Int): Patience =
    new Patience(TimeUnit.SECONDS.toMillis(limit.toLong), () => false)
}
