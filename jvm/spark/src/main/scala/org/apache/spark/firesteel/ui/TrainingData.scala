package org.apache.spark.firesteel.ui

import org.apache.spark.status.KVUtils.KVIndexParam

import firesteel.train.ExecutorTimes

/**
 * What the web pages know of a training: bounded in size, however long it goes.
 *
 * @param started how it began, with its settings
 * @param end how it ended; none while it runs
 * @param epoch the epoch of the last iteration, counted from 0
 * @param recent the last second
 */
private[ui] final case class TrainingData(
    @KVIndexParam id: String,
    started: TrainingStarted,
    end: Option[TrainingEnded] = None,
    epoch: Int = 0,
    curve: Curve = Curve(),
    recent: Option[IterationSums] = None,
    validations: Vector[TrainingValidated] = Vector.empty,
    epochs: Vector[TrainingEpochEnded] = Vector.empty,
    changes: Vector[TrainingClusterChanged] = Vector.empty,
    executors: Vector[ExecutorData] = Vector.empty
) {
  import TrainingData._

  /** Number of iterations done. */
  def done: Long = recent.fold(0L)(_.done)

  /** This training after more iterations. */
  def +(event: TrainingIterated): TrainingData = {
    val present = event.executors.map { times =>
      val before = executors.find(_.id == times.executor)
      before.getOrElse(ExecutorData(times.executor)) + (times, event.sums)
    }
    val absent = executors.filterNot(old => present.exists(_.id == old.id))
    copy(
      epoch = event.epoch,
      curve = curve + event.sums,
      recent = Some(event.sums),
      executors = (absent ++ present).sortBy(_.done).takeRight(Rows)
    )
  }

  /** This training after a validation. */
  def +(event: TrainingValidated): TrainingData =
    copy(validations = thin(validations.filter(_.done < event.done) :+ event))

  /** This training after an epoch. */
  def +(event: TrainingEpochEnded): TrainingData =
    copy(epochs = (epochs.filter(_.epoch < event.epoch) :+ event).takeRight(Rows))

  /** This training with other executors. */
  def +(event: TrainingClusterChanged): TrainingData =
    copy(changes = (changes :+ event).takeRight(Rows))
}

private[ui] object TrainingData {

  /** Longest list that is kept. */
  private val Rows = 1000

  /** All, or every second if they are too many. */
  private def thin[T](all: Vector[T]): Vector[T] =
    if (all.length <= Curve.Limit) all
    else all.zipWithIndex.collect { case (one, i) if i % 2 == 1 => one }
}

/**
 * An executor's part of a training.
 *
 * @param iterations those it took part in
 * @param computeMs time it computed
 * @param exchangeMs time it waited for slices
 * @param recentMs time it computed per iteration in the last second
 * @param nativeBytes its native memory
 * @param done number of iterations done when it was last heard of
 */
private[ui] final case class ExecutorData(
    id: String,
    iterations: Long = 0,
    computeMs: Double = 0,
    exchangeMs: Double = 0,
    recentMs: Double = 0,
    nativeBytes: Long = 0,
    done: Long = 0
) {

  /** This executor after more iterations. */
  def +(times: ExecutorTimes, sums: IterationSums): ExecutorData = ExecutorData(
    id,
    iterations + sums.iterations,
    computeMs + times.computeMs,
    exchangeMs + times.exchangeMs,
    times.computeMs / sums.iterations,
    times.nativeBytes,
    sums.done
  )
}
