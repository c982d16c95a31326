package firesteel.train

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import firesteel.jni.Histogram

/**
 * Several observers as one. An observer that throws after the training has started is left out from
 * then on, with a warning: a full disk under a log must not cost a training.
 */
private[firesteel] final class Observers(all: Seq[Observer]) extends Observer with Logging {
  private var active = all

  override def started(training: TrainingInfo): Unit = active.foreach(_.started(training))

  override def iterated(iterations: IterationsDone): Unit = tell(_.iterated(iterations))

  override def wantsParameters(done: Long, isEpochEnd: Boolean): Boolean =
    active.exists(_.wantsParameters(done, isEpochEnd))

  override def parameters(done: Long, histograms: Seq[(String, Histogram)]): Unit =
    tell(_.parameters(done, histograms))

  override def validated(done: Long, metrics: Seq[Metric]): Unit = tell(_.validated(done, metrics))

  override def epochEnded(done: Long, result: EpochResult): Unit = tell(_.epochEnded(done, result))

  override def clusterChanged(change: ClusterChange): Unit = tell(_.clusterChanged(change))

  override def ended(error: Option[Throwable]): Unit = tell(_.ended(error))

  private def tell(what: Observer => Unit): Unit =
    active = active.filter { observer =>
      try {
        what(observer)
        true
      } catch {
        case NonFatal(e) =>
          logWarning(s"${observer.getClass.getSimpleName}: it sees no more of this training", e)
          false
      }
    }
}
