package org.apache.spark.firesteel.ui

import scala.collection.mutable

import org.apache.spark.scheduler.SparkListenerEvent
import org.apache.spark.util.JsonProtocol
import org.scalatest.funsuite.AnyFunSuite

import firesteel.train.{DivergedException, PlayedTraining}

class TrainingPosterSuite extends AnyFunSuite {

  /** The events of the played training when each of its 30 jobs takes this long. */
  private def events(jobMs: Long, error: Option[Throwable] = None): Seq[SparkListenerEvent] = {
    val posted = mutable.ArrayBuffer.empty[SparkListenerEvent]
    var now = 1000000L
    val poster = new TrainingPoster(posted += _, () => now)
    PlayedTraining.play(poster, error)(now += jobMs)
    posted.toSeq
  }

  private def iterated(all: Seq[SparkListenerEvent]): Seq[TrainingIterated] =
    all.collect { case event: TrainingIterated => event }

  test("jobs of a second are an event each, shorter ones share one") {
    assert(iterated(events(1000)).length == 30)
    // Six epochs; within one of them the cluster changes.
    assert(iterated(events(1)).length == 7)
  }

  test("what shares an event is summed; nothing is lost") {
    val short = iterated(events(1)).map(_.sums)
    assert(short.map(_.iterations).sum == PlayedTraining.iterations)
    assert(short.map(_.first) == short.scanLeft(0L)(_ + _.iterations).init)
    val mean = (0 until PlayedTraining.iterations).map(i => PlayedTraining.loss(i)).sum / 600
    assert(math.abs(short.map(_.lossSum).sum / short.map(_.records).sum - mean) < 1e-12)
    val one = iterated(events(1)).head
    assert(one.executors.map(_.executor) == Seq("1", "2", "3"))
    assert(one.executors.map(_.computeMs) == Seq(100 * 18.0, 100 * 19.0, 100 * 26.0))
    assert(one.sums.wallMs == 3100)
    assert(one.sums.split.schedulingMs == 200)
  }

  test("events go into the event log and come back the same") {
    events(1000, Some(new DivergedException("loss is NaN"))).foreach { event =>
      assert(JsonProtocol.sparkEventFromJson(JsonProtocol.sparkEventToJsonString(event)) == event)
    }
  }

  test("an event of eight executors takes less than 2 kB of the event log") {
    val ids = (1 to 8).map(_.toString)
    val event = {
      val posted = mutable.ArrayBuffer.empty[SparkListenerEvent]
      var now = 0L
      val poster = new TrainingPoster(posted += _, () => now)
      poster.started(PlayedTraining.info)
      now += 1000
      poster.iterated(PlayedTraining.job(0, executors = ids))
      posted.last
    }
    assert(JsonProtocol.sparkEventToJsonString(event).length < 2000)
  }
}
