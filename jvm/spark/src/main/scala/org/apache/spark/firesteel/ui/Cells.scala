package org.apache.spark.firesteel.ui

import java.util.Locale

import org.apache.spark.ui.UIUtils

/** A training's state in words. */
private[ui] object Cells {

  def status(data: TrainingData): String = data.end match {
    case None => "RUNNING"
    case Some(end) if end.error.isEmpty => "SUCCEEDED"
    case Some(_) => "FAILED"
  }

  def duration(data: TrainingData): String = UIUtils.formatDuration(
    data.end.fold(System.currentTimeMillis)(_.time) - data.started.time
  )

  /** Epochs that have ended, of all. */
  def epochs(data: TrainingData): String =
    s"${data.epochs.lastOption.fold(0)(_.epoch + 1)}/${data.started.epochs}"

  /** Mean loss of the last second. */
  def loss(data: TrainingData): String = data.recent.fold("")(sums => number(sums.loss))

  /** Rows per second in the last second. */
  def throughput(data: TrainingData): String =
    data.recent.fold("")(sums => count(sums.throughput.toLong))

  /** Where the time of all iterations went. */
  def split(data: TrainingData): String =
    data.curve.points.map(_.split).reduceOption(_ + _).fold("") { split =>
      val parts = Seq(
        "compute" -> split.computeMs,
        "stragglers" -> split.stragglingMs,
        "exchange" -> split.exchangeMs,
        "scheduling" -> split.schedulingMs
      )
      val all = parts.map(_._2).sum
      parts
        .map { case (name, ms) => s"$name %.1f %%".formatLocal(Locale.US, 100 * ms / all) }
        .mkString(", ")
    }

  def validation(data: TrainingData): String =
    data.validations.lastOption.fold("")(metrics)

  def metrics(validated: TrainingValidated): String =
    validated.metrics.map(metric => s"${metric.name} ${number(metric.value)}").mkString(", ")

  def number(value: Double): String =
    if (value.isNaN || value.isInfinite) value.toString else Ticks.format(value)

  def count(value: Long): String = "%,d".formatLocal(Locale.US, value)

  def ms(value: Double): String = s"${Ticks.format(value)} ms"
}
