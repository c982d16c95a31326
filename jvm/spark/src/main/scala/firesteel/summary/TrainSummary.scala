package firesteel.summary

import firesteel.jni.Histogram
import firesteel.optim.Trigger
import firesteel.train.{IterationsDone, TrainingState}

/**
 * How a training goes, for TensorBoard: `Loss`, `Throughput` (rows per second) and `LearningRate` of
 * each iteration, in `logDir/appName/train`; histograms of the weights if [[setSummaryTrigger]] says
 * when.
 *
 * A point takes some 100 bytes; [[setSummaryTrigger]] makes them fewer. Iterations that ran in one job
 * share its throughput.
 *
 * {{{
 * val summary = new TrainSummary("hdfs:///logs", "lenet")
 *   .setSummaryTrigger("Loss", Trigger.severalIteration(10))
 * }}}
 *
 * and `tensorboard --logdir …` shows it.
 *
 * @param logDir a folder of any Hadoop file system
 * @param appName name of the run
 */
final class TrainSummary(logDir: String, appName: String)
    extends Summary(logDir, appName, "train") {
  private var triggers = Map.empty[String, (Long, Boolean) => Boolean]

  /**
   * Writes a tag only at the iterations that `when` chooses: instead of at each, and `Parameters`, a
   * histogram of each parameter under its name, instead of never.
   *
   * @param tag `Loss`, `Throughput`, `LearningRate` or `Parameters`
   * @param when of the number of iterations done, and whether an epoch ends with them
   * @throws java.lang.IllegalArgumentException if there is no such tag
   */
  def setSummaryTrigger(tag: String, when: (Long, Boolean) => Boolean): this.type = {
    require(
      TrainSummary.Tags.contains(tag),
      s"""train summary: expected a tag of ${TrainSummary.Tags.mkString(", ")}, got "$tag"."""
    )
    triggers += tag -> when
    this
  }

  /** The same with a trigger that needs no loss and no validation: `Trigger.severalIteration(20)`. */
  def setSummaryTrigger(tag: String, trigger: Trigger): this.type = {
    require(
      !trigger.needsLoss && !trigger.needsValidation,
      s"train summary: expected a trigger by iteration or end of an epoch, got $trigger."
    )
    setSummaryTrigger(
      tag,
      (done: Long, isEpochEnd: Boolean) =>
        trigger(TrainingState(1, iteration = done, epochEnded = isEpochEnd))
    )
  }

  override def iterated(iterations: IterationsDone): Unit = {
    val ended = System.currentTimeMillis / 1000.0
    val seconds = iterations.wallMs / 1000 / iterations.count
    for (i <- 0 until iterations.count) {
      val done = iterations.first + i + 1
      val left = iterations.count - 1 - i
      val values = Seq(
        "Loss" -> iterations.losses(i),
        "Throughput" -> iterations.records(i) / seconds,
        "LearningRate" -> iterations.learningRate
      )
      write(
        ended - left * seconds,
        done,
        values.collect {
          case (tag, value) if isWanted(tag, done, iterations.isEpochEnd && left == 0) =>
            Event.Scalar(tag, value.toFloat)
        }
      )
    }
  }

  override def wantsParameters(done: Long, isEpochEnd: Boolean): Boolean =
    triggers.get("Parameters").exists(_(done, isEpochEnd))

  override def parameters(done: Long, histograms: Seq[(String, Histogram)]): Unit =
    write(
      System.currentTimeMillis / 1000.0,
      done,
      histograms.map { case (name, histogram) => Event.Distribution(name, histogram) }
    )

  private def isWanted(tag: String, done: Long, isEpochEnd: Boolean): Boolean =
    triggers.get(tag).forall(_(done, isEpochEnd))
}

object TrainSummary {

  /** What is written. */
  val Tags: Seq[String] = Seq("Loss", "Throughput", "LearningRate", "Parameters")
}
