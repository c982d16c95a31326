package org.apache.spark.firesteel.ui

import java.util.NoSuchElementException

import scala.jdk.CollectionConverters._

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.scheduler.SparkListener
import org.apache.spark.status.{AppHistoryServerPlugin, ElementTrackingStore}
import org.apache.spark.ui.{SparkUI, SparkUITab}
import org.apache.spark.util.kvstore.KVStore

/** The tab "Training" of an application's web pages. */
private[ui] final class TrainingTab(ui: SparkUI) extends SparkUITab(ui, "training") {
  attachPage(new TrainingsPage(this))
  attachPage(new TrainingPage(this))
  ui.attachTab(this)

  /** Whether the application still runs. */
  def isLive: Boolean = ui.sc.isDefined

  /** The trainings of the application, the last one first. */
  def trainings: Seq[TrainingData] = TrainingTab.trainings(ui.store.store)

  /** The training with this id. */
  def training(id: String): Option[TrainingData] =
    try Some(ui.store.store.read(classOf[TrainingData], id))
    catch {
      case _: NoSuchElementException => None
    }
}

private[ui] object TrainingTab {

  /** Shows the trainings of an application whose web pages are on; the first call does all. */
  def attach(sc: SparkContext): Unit = synchronized {
    val isAttached = sc.listenerBus.findListenersByClass[TrainingListener]().nonEmpty
    sc.ui.filterNot(_ => isAttached).foreach { ui =>
      // The queue of the status store: pages and store agree.
      sc.listenerBus.addToStatusQueue(
        new TrainingListener(ui.store.store.asInstanceOf[ElementTrackingStore], live = true)
      )
      new TrainingTab(ui)
    }
  }

  def trainings(store: KVStore): Seq[TrainingData] =
    store.view(classOf[TrainingData]).asScala.toSeq.sortBy(-_.started.time)
}

/** Shows the trainings of an application of which the History Server has read the event log. */
final class TrainingHistory extends AppHistoryServerPlugin {
  override def createListeners(conf: SparkConf, store: ElementTrackingStore): Seq[SparkListener] =
    Seq(new TrainingListener(store, live = false))

  override def setupUI(ui: SparkUI): Unit =
    if (TrainingTab.trainings(ui.store.store).nonEmpty) {
      new TrainingTab(ui)
      ()
    }

  override def displayOrder: Int = 100
}
