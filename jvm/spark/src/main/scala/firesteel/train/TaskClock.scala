package firesteel.train

import firesteel.jni.NativeBuffer

/**
 * What an executor's tasks spend their time on.
 *
 * @param executor its name
 */
private[train] final class TaskClock(executor: => String) {
  private var computeNs = 0L
  private var exchangeNs = 0L

  /** Counts the time of `work` as computing. */
  def computing[R](work: => R): R = {
    val begin = System.nanoTime
    try work
    finally computeNs += System.nanoTime - begin
  }

  /** Counts the time of `work` as waiting for slices. */
  def exchanging[R](work: => R): R = {
    val begin = System.nanoTime
    try work
    finally exchangeNs += System.nanoTime - begin
  }

  /** The times since they were last asked for. */
  def take(): ExecutorTimes = {
    val times =
      ExecutorTimes(executor, computeNs / 1e6, exchangeNs / 1e6, NativeBuffer.allocated())
    computeNs = 0
    exchangeNs = 0
    times
  }
}
