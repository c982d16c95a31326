package org.apache.spark.firesteel.ui

import scala.jdk.CollectionConverters._

import org.apache.spark.scheduler.{SparkListener, SparkListenerEvent}
import org.apache.spark.status.ElementTrackingStore

/**
 * Turns the events of trainings into what the web pages show.
 *
 * @param store where the pages read
 * @param live whether the application runs; if not, events come from its event log
 */
private[ui] final class TrainingListener(store: ElementTrackingStore, live: Boolean)
    extends SparkListener {
  private var running = Map.empty[String, TrainingData]

  store.addTrigger(classOf[TrainingData], TrainingListener.Retained)(_ => forgetOldest())
  if (!live) store.onFlush(running.values.foreach(store.write(_)))

  override def onOtherEvent(event: SparkListenerEvent): Unit = event match {
    case started: TrainingStarted => update(TrainingData(started.id, started))
    case iterated: TrainingIterated =>
      running.get(iterated.id).foreach(data => update(data + iterated))
    case validated: TrainingValidated =>
      running.get(validated.id).foreach(data => update(data + validated))
    case ended: TrainingEpochEnded => running.get(ended.id).foreach(data => update(data + ended))
    case changed: TrainingClusterChanged =>
      running.get(changed.id).foreach(data => update(data + changed))
    case ended: TrainingEnded =>
      running.get(ended.id).foreach { data =>
        running -= ended.id
        store.write(data.copy(end = Some(ended)), checkTriggers = true)
      }
    case _ =>
  }

  private def update(data: TrainingData): Unit = {
    running += data.id -> data
    if (live) store.write(data)
  }

  private def forgetOldest(): Unit = {
    val ended = store.view(classOf[TrainingData]).asScala.filter(_.end.isDefined).toSeq
    ended
      .sortBy(_.started.time)
      .take(ended.length - TrainingListener.Retained)
      .foreach(data => store.delete(classOf[TrainingData], data.id))
  }
}

private object TrainingListener {

  /** Number of trainings that have ended and are still shown. */
  val Retained = 100
}
