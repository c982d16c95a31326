package org.apache.spark.firesteel.ui

import scala.xml.{Node, Unparsed}

/** The part of a page that changes while a training runs. */
private[ui] object Live {

  /** Asks for the page every three seconds while it is looked at, and takes its new part. */
  private val Script =
    """setInterval(async () => {
      |  const old = document.getElementById("training-live");
      |  if (document.hidden || old.dataset.running !== "true") return;
      |  const page = await (await fetch(location.href)).text();
      |  const fresh = new DOMParser().parseFromString(page, "text/html");
      |  const part = fresh.getElementById("training-live");
      |  if (part) old.replaceWith(part);
      |}, 3000);""".stripMargin

  /** `content`, kept fresh as long as `isRunning`. */
  def wrap(isRunning: Boolean, content: Seq[Node]): Seq[Node] = {
    val part = <div id="training-live" data-running={isRunning.toString}>{content}</div>
    if (isRunning) part ++ <script>{Unparsed(Script)}</script> else part
  }
}
