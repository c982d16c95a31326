package org.apache.spark.firesteel.ui

import org.apache.spark.SparkContext
import org.apache.spark.scheduler.SparkListenerEvent

import firesteel.train._

/**
 * Tells Spark's listener bus of a training: the "Training" tab of the application's web pages shows
 * it, and the event log keeps it for the History Server.
 *
 * @param clock time in milliseconds since 1970
 */
final class TrainingPoster private[ui] (
    post: SparkListenerEvent => Unit,
    clock: () => Long
) extends Observer {
  private var id = ""
  private var waiting = Option.empty[TrainingIterated]
  private var posted = 0L

  override def started(training: TrainingInfo): Unit = {
    id = training.id.toString
    posted = clock()
    post(
      TrainingStarted(
        id,
        posted,
        training.name,
        training.layers,
        training.loss,
        training.optimizer,
        training.shards,
        training.batchSize,
        training.epochs,
        training.records,
        training.seed,
        training.executors
      )
    )
  }

  override def iterated(iterations: IterationsDone): Unit = {
    val next = TrainingPoster.event(id, iterations)
    waiting = Some(waiting.fold(next)(TrainingPoster.together(_, next)))
    if (clock() - posted >= TrainingPoster.IntervalMs) flush()
  }

  override def validated(done: Long, metrics: Seq[Metric]): Unit =
    postNow(TrainingValidated(id, done, metrics))

  override def epochEnded(done: Long, result: EpochResult): Unit =
    postNow(
      TrainingEpochEnded(
        id,
        done,
        result.epoch,
        result.loss,
        result.records,
        result.seconds,
        result.weightsHash
      )
    )

  override def clusterChanged(change: ClusterChange): Unit =
    postNow(TrainingClusterChanged(id, clock(), change))

  override def ended(error: Option[Throwable]): Unit =
    postNow(TrainingEnded(id, clock(), error.fold("")(_.toString)))

  private def postNow(event: SparkListenerEvent): Unit = {
    flush()
    post(event)
  }

  private def flush(): Unit = {
    waiting.foreach(post)
    waiting = None
    posted = clock()
  }
}

object TrainingPoster {

  /** Shortest time between two events of iterations. */
  private val IntervalMs = 1000L

  /** One for the application, which gets the tab if its web pages are on. */
  def apply(sc: SparkContext): TrainingPoster = {
    TrainingTab.attach(sc)
    new TrainingPoster(sc.listenerBus.post, () => System.currentTimeMillis)
  }

  private def event(id: String, done: IterationsDone): TrainingIterated = {
    val lossSum = done.losses.zip(done.records).map { case (loss, records) => loss * records }.sum
    TrainingIterated(
      id,
      done.epoch,
      IterationSums(
        done.first,
        done.count.toLong,
        lossSum,
        done.records.sum,
        done.wallMs,
        done.split,
        done.learningRate
      ),
      done.executors
    )
  }

  private def together(one: TrainingIterated, other: TrainingIterated): TrainingIterated =
    TrainingIterated(
      one.id,
      other.epoch,
      one.sums ++ other.sums,
      (one.executors ++ other.executors)
        .groupBy(_.executor)
        .values
        .map(_.reduce(_ + _))
        .toSeq
        .sortBy(times => (times.executor.length, times.executor))
    )
}
