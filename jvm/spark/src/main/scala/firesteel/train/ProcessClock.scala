package firesteel.train

import firesteel.jni.NativeBuffer

/** What a task by shuffle and broadcast spends its time on. */
private[train] final class ProcessClock {
  private var computeNs = 0L

  /** Counts the time of `work` as computing. */
  def computing[R](work: => R): R = {
    val begin = System.nanoTime
    try work
    finally computeNs += System.nanoTime - begin
  }

  /** So far; Spark itself measures what a shuffle takes. */
  def times: ExecutorTimes =
    ExecutorTimes(ShardHosts.process, computeNs / 1e6, 0, NativeBuffer.allocated())
}
