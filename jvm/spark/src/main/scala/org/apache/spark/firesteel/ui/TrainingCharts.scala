package org.apache.spark.firesteel.ui

import scala.xml.NodeSeq

/** The charts of a training. */
private[ui] object TrainingCharts {
  import Chart.{Blue, Gray, Green, Orange}

  def apply(data: TrainingData): NodeSeq = {
    val marks = data.changes.map { event =>
      val change = event.change
      val executors = s"${change.before} → ${change.after} executors"
      Mark(change.done.toDouble, s"after ${change.done} iterations: $executors, ${change.reason}")
    }
    def curve(name: String, color: String)(value: IterationSums => Double): Line =
      Line(name, color, data.curve.points.map(point => (point.done.toDouble, value(point))))
    def measured(metric: String, color: String): Line = Line(
      metric match {
        case "Loss" => "validation"
        case other => other
      },
      color,
      data.validations.flatMap { validated =>
        validated.metrics.find(_.name == metric).map(found =>
          (validated.done.toDouble, found.value)
        )
      }
    )
    val others = data.validations.flatMap(_.metrics.map(_.name)).distinct.filter(_ != "Loss")
    val losses = Seq(curve("training", Blue)(_.loss), measured("Loss", Orange))
    val metrics = others.map { name =>
      Chart(s"Validation: $name", Seq(measured(name, Orange)), marks, data.done, fromZero = false)
    }
    val charts = Chart("Loss", losses, marks, data.done, fromZero = false) +: metrics ++: Seq(
      Chart("Rows per second", Seq(curve("rows/s", Blue)(_.throughput)), marks, data.done),
      Chart(
        "Where the time goes, in percent",
        Seq(
          curve("compute", Blue)(point => percent(point.split.computeMs, point)),
          curve("stragglers", Orange)(point => percent(point.split.stragglingMs, point)),
          curve("exchange", Green)(point => percent(point.split.exchangeMs, point)),
          curve("scheduling", Gray)(point => percent(point.split.schedulingMs, point))
        ),
        marks,
        data.done,
        areStacked = true
      ),
      Chart("Learning rate", Seq(curve("learning rate", Blue)(_.learningRate)), marks, data.done)
    )
    if (data.curve.points.isEmpty) NodeSeq.Empty
    else <div class="row">{charts.map(_.toXml)}</div>
  }

  private def percent(ms: Double, of: IterationSums): Double = 100 * ms / of.wallMs
}
