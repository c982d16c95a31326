package firesteel.train

import java.util.UUID

import firesteel.jni.Histogram

/**
 * Follows a training, on the driver.
 *
 * Calls come one at a time, from the thread that trains: an observer that is slow slows the training.
 * Iterations are counted from 0; `done` iterations are the iterations 0 to `done - 1`.
 *
 * {{{
 * final class Losses extends Observer {
 *   override def iterated(done: IterationsDone): Unit = done.losses.foreach(println)
 * }
 * }}}
 */
trait Observer {

  /** The rows are loaded, iterations begin; what this throws ends the training. */
  def started(training: TrainingInfo): Unit = ()

  /** A job of iterations has ended. */
  def iterated(iterations: IterationsDone): Unit = ()

  /** Whether it wants to be told of the [[parameters]] after `done` iterations; asked more than once. */
  def wantsParameters(done: Long, isEpochEnd: Boolean): Boolean = false

  /** How the weights after `done` iterations are distributed, by the names of the parameters. */
  def parameters(done: Long, histograms: Seq[(String, Histogram)]): Unit = ()

  /** The weights after `done` iterations were measured with the validation rows. */
  def validated(done: Long, metrics: Seq[Metric]): Unit = ()

  /** An epoch has ended, after `done` iterations. */
  def epochEnded(done: Long, result: EpochResult): Unit = ()

  /** The training goes on with other executors. */
  def clusterChanged(change: ClusterChange): Unit = ()

  /** The training is over: by this error, if there is one. */
  def ended(error: Option[Throwable]): Unit = ()
}

/**
 * One iteration or several that ran in one job, all of one epoch.
 *
 * @param first the first iteration
 * @param epoch counted from 0
 * @param losses mean loss of each iteration's rows
 * @param records number of rows of each iteration
 * @param wallMs time of the job in milliseconds, as the driver sees it
 * @param learningRate that of the last iteration
 * @param isEpochEnd whether the last iteration is the last of its epoch
 * @param epochLoss mean loss of the epoch so far
 * @param epochRecords number of rows of the epoch so far
 * @param executors what each executor spent the time on
 */
final case class IterationsDone(
    first: Long,
    epoch: Int,
    losses: IndexedSeq[Double],
    records: IndexedSeq[Long],
    wallMs: Double,
    learningRate: Double,
    isEpochEnd: Boolean,
    epochLoss: Double,
    epochRecords: Long,
    executors: IndexedSeq[ExecutorTimes]
) {
  require(
    losses.nonEmpty && losses.length == records.length,
    s"iterations from $first: expected a loss and a number of rows for each, got ${losses.length} " +
      s"losses and ${records.length} numbers"
  )

  /** Number of iterations. */
  def count: Int = losses.length

  /** Number of iterations of the training when these were done. */
  def done: Long = first + count

  /** Where the job's time went. */
  def split: TimeSplit = TimeSplit(wallMs, executors)
}

/**
 * What an executor's task spent its time on.
 *
 * @param executor the executor's id
 * @param computeMs forward, backward and optimizer, in milliseconds
 * @param exchangeMs waiting for slices of other executors, in milliseconds
 * @param nativeBytes native memory of the executor when the task ended
 * @param sentBytes bytes of slices on their way to other executors, or of gradients into the shuffle
 */
final case class ExecutorTimes(
    executor: String,
    computeMs: Double,
    exchangeMs: Double,
    nativeBytes: Long,
    sentBytes: Long = 0
) {

  /** Together with what the same executor did after it. */
  def +(later: ExecutorTimes): ExecutorTimes = ExecutorTimes(
    executor,
    computeMs + later.computeMs,
    exchangeMs + later.exchangeMs,
    later.nativeBytes,
    sentBytes + later.sentBytes
  )
}

object ExecutorTimes {

  /** The times of each executor, added up. */
  private[train] def perExecutor(times: Seq[ExecutorTimes]): IndexedSeq[ExecutorTimes] =
    times.groupBy(_.executor).values.map(_.reduce(_ + _)).toIndexedSeq
}

/**
 * Where the time of a job went, in milliseconds; the parts add up to the whole.
 *
 * @param computeMs computing, the mean of the executors
 * @param stragglingMs what the slowest executor computed longer than the mean
 * @param exchangeMs what the longest task waited for slices beyond all computing
 * @param schedulingMs what the driver waited beyond the longest task
 */
final case class TimeSplit(
    computeMs: Double,
    stragglingMs: Double,
    exchangeMs: Double,
    schedulingMs: Double
) {

  /** Both together. */
  def +(other: TimeSplit): TimeSplit = TimeSplit(
    computeMs + other.computeMs,
    stragglingMs + other.stragglingMs,
    exchangeMs + other.exchangeMs,
    schedulingMs + other.schedulingMs
  )
}

object TimeSplit {

  /** That of a job of `wallMs` in which each executor had one task, or one in each phase. */
  def apply(wallMs: Double, executors: Seq[ExecutorTimes]): TimeSplit =
    if (executors.isEmpty) {
      TimeSplit(0, 0, 0, wallMs)
    } else {
      // Clocks of driver and executors differ by a little: no part is below 0.
      val longest = executors.map(times => times.computeMs + times.exchangeMs).max.min(wallMs)
      val slowest = executors.map(_.computeMs).max.min(longest)
      val mean = (executors.map(_.computeMs).sum / executors.length).min(slowest)
      TimeSplit(mean, slowest - mean, longest - slowest, wallMs - longest)
    }
}

/**
 * A measure of how good the weights are.
 *
 * @param name as BigDL has it: `Loss`, `Top1Accuracy`
 */
final case class Metric(name: String, value: Double)

object Metric {

  /** Mean loss; accuracy too unless nothing was right, as with losses that do not classify. */
  def of(evaluation: Evaluation): Seq[Metric] =
    Metric("Loss", evaluation.loss) +:
      (if (evaluation.correct == 0) Nil else Seq(Metric("Top1Accuracy", evaluation.accuracy)))
}

/**
 * Executors that came or went.
 *
 * @param done number of iterations done before
 * @param before number of executors before
 * @param after number of executors after
 * @param reason why, in words
 * @param ms how long the training stood still, in milliseconds
 */
final case class ClusterChange(done: Long, before: Int, after: Int, reason: String, ms: Double)

/**
 * What is trained, and how.
 *
 * @param name name of the model
 * @param layers its layers, in their order
 * @param loss the loss, as JSON
 * @param optimizer the optimizer, as JSON
 * @param shards number of shards S
 * @param batchSize rows of an iteration
 * @param epochs how often every row is to be seen
 * @param records rows of an epoch
 * @param executors number of executors at the start
 */
final case class TrainingInfo(
    id: UUID,
    name: String,
    layers: Seq[LayerInfo],
    loss: String,
    optimizer: String,
    shards: Int,
    batchSize: Int,
    epochs: Int,
    records: Long,
    seed: Long,
    executors: Int
) {

  /** Number of weights and statistics. */
  def parameters: Long = layers.map(_.parameters).sum
}

/**
 * A layer of a model.
 *
 * @param kind its class
 * @param parameters number of its weights and statistics
 */
final case class LayerInfo(name: String, kind: String, parameters: Long)
