package firesteel.train

import java.util.concurrent.atomic.AtomicLong

import firesteel.jni.NativeBuffer

/**
 * What an executor's tasks spend their time on.
 *
 * @param executor its name
 */
private[train] final class TaskClock(executor: => String) {
  private var computeNs = 0L
  private var exchangeNs = 0L
  private val sentBytes = new AtomicLong

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

  /** Counts bytes that are on their way to another executor. */
  def sending(bytes: Long): Unit = {
    sentBytes.addAndGet(bytes)
    ()
  }

  /** The times since they were last asked for. */
  def take(): ExecutorTimes = {
    val times = ExecutorTimes(
      executor,
      computeNs / 1e6,
      exchangeNs / 1e6,
      NativeBuffer.allocated(),
      sentBytes.getAndSet(0)
    )
    computeNs = 0
    exchangeNs = 0
    times
  }
}
