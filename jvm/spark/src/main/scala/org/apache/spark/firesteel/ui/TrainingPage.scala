package org.apache.spark.firesteel.ui

import java.net.URLEncoder
import java.nio.charset.StandardCharsets.UTF_8
import java.util.Locale

import scala.xml.{Node, NodeSeq}

import jakarta.servlet.http.HttpServletRequest
import org.apache.spark.ui.{UIUtils, WebUIPage}
import org.apache.spark.util.Utils

/** One training: its curves, where its time goes, its executors. */
private[ui] final class TrainingPage(tab: TrainingTab) extends WebUIPage("training") {
  import Cells._

  override def render(request: HttpServletRequest): Seq[Node] = {
    val id = Option(request.getParameter("id")).getOrElse("")
    tab.training(id) match {
      case Some(data) =>
        val changing = summary(data) ++ TrainingCharts(data) ++ executors(data) ++ changes(data) ++
          epochs(data)
        val content = Live.wrap(tab.isLive && data.end.isEmpty, changing) ++ settings(data.started)
        UIUtils.headerSparkPage(request, s"Training ${data.started.name}", content, tab)
      case None =>
        val message = <p>No training with this id; only the last ones are kept.</p>
        UIUtils.headerSparkPage(request, "Training", message, tab)
    }
  }

  private def summary(data: TrainingData): NodeSeq = {
    val facts = Seq(
      "Status" -> status(data),
      "Error" -> data.end.fold("")(_.error),
      "Started" -> UIUtils.formatDate(data.started.time),
      "Duration" -> duration(data),
      "Epochs" -> Cells.epochs(data),
      "Iterations" -> count(data.done),
      "Rows per second" -> throughput(data),
      "Loss" -> loss(data),
      "Validation" -> validation(data),
      "Time" -> split(data),
      "Native memory" -> Utils.bytesToString(present(data).map(_.nativeBytes).sum),
      "Weights after the last epoch" -> data.epochs.lastOption.fold("")(_.weightsHash)
    )
    <ul class="list-unstyled">
      {
      facts.collect {
        case (name, value) if value.nonEmpty =>
          <li><strong>{name}: </strong>{value}</li>
      }
    }
    </ul>
  }

  /** The executors of the last second. */
  private def present(data: TrainingData): Seq[ExecutorData] =
    data.executors.filter(_.done == data.done)

  /** Who computes longest comes first: everybody waits for it. */
  private def executors(data: TrainingData): NodeSeq = {
    val now = present(data)
    val median = now.map(_.recentMs).sorted.lift((now.length - 1) / 2).getOrElse(0.0)
    def row(one: ExecutorData): Seq[Node] = {
      val isPresent = one.done == data.done
      val ratio = if (isPresent && median > 0) one.recentMs / median else 0.0
      val style = if (ratio >= TrainingPage.Straggler) "color: #c0392b; font-weight: bold" else ""
      <tr>
        <td>{one.id}</td>
        <td>{if (isPresent) "" else s"until iteration ${count(one.done)}"}</td>
        <td>{ms(one.computeMs / one.iterations)}</td>
        <td>{if (isPresent) ms(one.recentMs) else ""}</td>
        <td style={style}>{if (ratio > 0) "%.2f×".formatLocal(Locale.ROOT, ratio) else ""}</td>
        <td>{ms(one.exchangeMs / one.iterations)}</td>
        <td>{if (isPresent) Utils.bytesToString(one.nativeBytes) else ""}</td>
      </tr>
    }
    val headers = Seq(
      "Executor",
      "Gone",
      "Compute per iteration",
      "Compute, last second",
      "To the median",
      "Wait for slices per iteration",
      "Native memory"
    )
    val slowestFirst = data.executors.sortBy(one => (-one.done, -one.recentMs))
    section("Executors", headers, row, slowestFirst, "training-executors")
  }

  private def changes(data: TrainingData): NodeSeq = {
    def row(event: TrainingClusterChanged): Seq[Node] =
      <tr>
        <td>{UIUtils.formatDate(event.time)}</td>
        <td>{count(event.change.done)}</td>
        <td>{s"${event.change.before} → ${event.change.after}"}</td>
        <td>{event.change.reason}</td>
        <td>{ms(event.change.ms)}</td>
      </tr>
    val headers = Seq("Time", "After iteration", "Executors", "Reason", "Stood still")
    section("Changes of the cluster", headers, row, data.changes.reverse, "training-changes")
  }

  private def epochs(data: TrainingData): NodeSeq = {
    val measured = data.validations.map(one => one.done -> metrics(one)).toMap
    def row(event: TrainingEpochEnded): Seq[Node] =
      <tr>
        <td>{event.epoch + 1}</td>
        <td>{count(event.done)}</td>
        <td>{number(event.loss)}</td>
        <td>{measured.getOrElse(event.done, "")}</td>
        <td>{count(event.records)}</td>
        <td>{UIUtils.formatDuration((event.seconds * 1000).toLong)}</td>
        <td>{count((event.records / event.seconds).toLong)}</td>
        <td><code>{event.weightsHash.take(16)}</code></td>
      </tr>
    val headers =
      Seq("Epoch", "Iterations", "Loss", "Validation", "Rows", "Duration", "Rows/s", "Weights")
    section("Epochs", headers, row, data.epochs.reverse, "training-epochs")
  }

  private def settings(started: TrainingStarted): NodeSeq = {
    val facts = Seq(
      "Id" -> started.id,
      "Optimizer" -> started.optimizer,
      "Loss" -> started.loss,
      "Batch size" -> count(started.batchSize.toLong),
      "Epochs" -> count(started.epochs.toLong),
      "Rows" -> count(started.records),
      "Shards" -> count(started.shards.toLong),
      "Executors at the start" -> count(started.executors.toLong),
      "Seed" -> started.seed.toString
    )
    val layers = started.layers
    val title = s"Model: ${layers.length} layers, ${count(layers.map(_.parameters).sum)} parameters"
    section(
      "Settings",
      Seq("Name", "Value"),
      (fact: (String, String)) => <tr><td>{fact._1}</td><td>{fact._2}</td></tr>,
      facts,
      "training-settings"
    ) ++ section(
      title,
      Seq("Layer", "Class", "Parameters"),
      (layer: firesteel.train.LayerInfo) =>
        <tr><td>{layer.name}</td><td>{layer.kind}</td><td>{count(layer.parameters)}</td></tr>,
      layers,
      "training-layers"
    )
  }

  /** A table under a title; nothing if it has no rows. */
  private def section[T](
      title: String,
      headers: Seq[String],
      row: T => Seq[Node],
      rows: Seq[T],
      id: String
  ): NodeSeq =
    if (rows.isEmpty) NodeSeq.Empty
    else <h4>{title}</h4> ++ UIUtils.listingTable(headers, row, rows, id = Some(id))
}

private[ui] object TrainingPage {

  /** An executor that computes this much longer than the median is pointed out. */
  private val Straggler = 1.25

  /** Where the page of a training is. */
  def link(request: HttpServletRequest, tab: TrainingTab, data: TrainingData): String =
    UIUtils.prependBaseUri(request, tab.basePath, s"/${tab.prefix}/training/") +
      s"?id=${URLEncoder.encode(data.id, UTF_8)}"
}
