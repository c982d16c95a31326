package org.apache.spark.firesteel.ui

import org.apache.spark.scheduler.SparkListenerEvent

import firesteel.train.{ClusterChange, ExecutorTimes, LayerInfo, Metric, TimeSplit}

// What a training tells Spark's listener bus. Spark writes these events as JSON into the event log,
// from which the History Server reads only classes below org.apache.spark. Times are in milliseconds
// since 1970.

/** A training has begun. */
final case class TrainingStarted(
    id: String,
    time: Long,
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
) extends SparkListenerEvent

/** Iterations were done: about one event per second, however short they are. */
final case class TrainingIterated(
    id: String,
    epoch: Int,
    sums: IterationSums,
    executors: Seq[ExecutorTimes]
) extends SparkListenerEvent

/** The weights were measured with the validation rows. */
final case class TrainingValidated(id: String, done: Long, metrics: Seq[Metric])
    extends SparkListenerEvent

/** An epoch has ended. */
final case class TrainingEpochEnded(
    id: String,
    done: Long,
    epoch: Int,
    loss: Double,
    records: Long,
    seconds: Double,
    weightsHash: String
) extends SparkListenerEvent

/** The training goes on with other executors. */
final case class TrainingClusterChanged(id: String, time: Long, change: ClusterChange)
    extends SparkListenerEvent

/** The training is over; `error` is empty if it got to its end. */
final case class TrainingEnded(id: String, time: Long, error: String) extends SparkListenerEvent

/**
 * Iterations that follow each other, as one point of a curve.
 *
 * @param first the first iteration
 * @param iterations number of iterations
 * @param lossSum sum of the losses of all rows
 * @param records number of rows
 * @param wallMs time of their jobs
 * @param split where that time went
 * @param learningRate that of the last iteration
 */
final case class IterationSums(
    first: Long,
    iterations: Long,
    lossSum: Double,
    records: Long,
    wallMs: Double,
    split: TimeSplit,
    learningRate: Double
) {

  /** Number of iterations of the training when these were done. */
  def done: Long = first + iterations

  /** Mean loss of a row. */
  def loss: Double = lossSum / records

  /** Rows per second. */
  def throughput: Double = records / wallMs * 1000

  /** These and those that follow. */
  def ++(later: IterationSums): IterationSums = IterationSums(
    first,
    iterations + later.iterations,
    lossSum + later.lossSum,
    records + later.records,
    wallMs + later.wallMs,
    split + later.split,
    later.learningRate
  )
}
