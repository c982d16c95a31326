package firesteel.summary

import firesteel.train.Metric

/**
 * What the validations of a training measured, for TensorBoard: a curve for each metric by its name
 * (`Loss`, `Top1Accuracy`), in `logDir/appName/validation`.
 *
 * @param logDir a folder of any Hadoop file system
 * @param appName name of the run
 */
final class ValidationSummary(logDir: String, appName: String)
    extends Summary(logDir, appName, "validation") {

  override def validated(done: Long, metrics: Seq[Metric]): Unit =
    write(
      System.currentTimeMillis / 1000.0,
      done,
      metrics.map(metric => Event.Scalar(metric.name, metric.value.toFloat))
    )
}
