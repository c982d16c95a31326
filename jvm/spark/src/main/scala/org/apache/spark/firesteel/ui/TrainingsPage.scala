package org.apache.spark.firesteel.ui

import scala.xml.Node

import jakarta.servlet.http.HttpServletRequest
import org.apache.spark.ui.{UIUtils, WebUIPage}

/** The trainings of an application. */
private[ui] final class TrainingsPage(tab: TrainingTab) extends WebUIPage("") {
  import Cells._

  override def render(request: HttpServletRequest): Seq[Node] = {
    val trainings = tab.trainings
    def row(data: TrainingData): Seq[Node] =
      <tr>
        <td><a href={TrainingPage.link(request, tab, data)}>{data.started.name}</a></td>
        <td>{status(data)}</td>
        <td>{UIUtils.formatDate(data.started.time)}</td>
        <td>{duration(data)}</td>
        <td>{epochs(data)}</td>
        <td>{count(data.done)}</td>
        <td>{loss(data)}</td>
        <td>{validation(data)}</td>
        <td>{throughput(data)}</td>
      </tr>
    val table =
      if (trainings.isEmpty) <p>No training yet.</p>
      else UIUtils.listingTable(Headers, row, trainings, id = Some("trainings"))
    UIUtils.headerSparkPage(
      request,
      "Trainings",
      Live.wrap(tab.isLive && trainings.exists(_.end.isEmpty), table),
      tab
    )
  }

  private val Headers = Seq(
    "Name",
    "Status",
    "Started",
    "Duration",
    "Epochs",
    "Iterations",
    "Loss",
    "Validation",
    "Rows/s"
  )
}
