package firesteel.train

import java.io.IOException

import scala.collection.mutable

import org.scalatest.funsuite.AnyFunSuite

import firesteel.nn._

class ObserverSuite extends AnyFunSuite {

  private def times(compute: Double, exchange: Double) = ExecutorTimes("1", compute, exchange, 0)

  test("the parts of a job's time add up to it, whatever the clocks say") {
    val split = TimeSplit(100, Seq(times(40, 30), times(60, 5), times(50, 25)))
    assert(split == TimeSplit(50, 10, 15, 25))
    val odd = Seq(Nil, Seq(times(0, 0)), Seq(times(130, 20)), Seq(times(20, 90), times(99, 40)))
    odd.map(TimeSplit(100, _)).foreach { split =>
      val parts = Seq(split.computeMs, split.stragglingMs, split.exchangeMs, split.schedulingMs)
      assert(parts.sum == 100)
      assert(parts.forall(_ >= 0))
    }
  }

  test("an observer that throws sees no more, the others see all") {
    val seen = mutable.ArrayBuffer.empty[Long]
    var calls = 0
    val failing = new Observer {
      override def iterated(iterations: IterationsDone): Unit = {
        calls += 1
        throw new IOException("disk full")
      }
    }
    val counting = new Observer {
      override def iterated(iterations: IterationsDone): Unit = seen += iterations.done
    }
    PlayedTraining.play(new Observers(Seq(failing, counting)))(())
    assert(calls == 1)
    assert(seen == (20 to PlayedTraining.iterations by 20))
  }

  test("an observer that cannot start ends the training") {
    val failing = new Observer {
      override def started(training: TrainingInfo): Unit = throw new IOException("no such folder")
    }
    intercept[IOException](new Observers(Seq(failing)).started(PlayedTraining.info))
  }

  test("a model's summary has its layers with all their parameters") {
    val model = Sequential("net", Seq(1, 6, 6))
      .add(Conv2D(2, (3, 3), activation = "relu"))
      .add(BatchNormalization())
      .add(Flatten())
      .add(Dense(3, name = "last"))
    val (name, layers) = ModelSummary.of(model.toJson)
    assert(name == "net")
    assert(layers.map(_.kind) == Seq("Conv2D", "BatchNormalization", "Flatten", "Dense"))
    assert(layers.map(_.parameters) == Seq(20, 8, 0, 99))
    assert(layers.last.name == "last")
  }

  test("accuracy is no metric of a loss that does not classify") {
    assert(Metric.of(Evaluation(10, 5, 0)) == Seq(Metric("Loss", 0.5)))
    assert(
      Metric.of(Evaluation(10, 5, 4)) == Seq(Metric("Loss", 0.5), Metric("Top1Accuracy", 0.4))
    )
  }
}
