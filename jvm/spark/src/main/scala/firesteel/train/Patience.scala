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

  /** Waits on `monitor`, which is notified of every change, until `isDone`; whether it is. */
  def await(monitor: AnyRef)(isDone: => Boolean): Boolean = monitor.synchronized {
    val deadline = System.nanoTime + TimeUnit.MILLISECONDS.toNanos(limitMs)
    var left = deadline - System.nanoTime
    while (!isDone && !isOver() && left > 0) {
      TimeUnit.NANOSECONDS.timedWait(monitor, math.min(left, Patience.LookNs))
      left = deadline - System.nanoTime
    }
    isDone
  }
}

private[train] object Patience {
  private val LookNs = TimeUnit.MILLISECONDS.toNanos(20)

  /** Waits for some seconds, whatever happens. */
  def seconds(limit: Int): Patience =
    new Patience(TimeUnit.SECONDS.toMillis(limit.toLong), () => false)
}
