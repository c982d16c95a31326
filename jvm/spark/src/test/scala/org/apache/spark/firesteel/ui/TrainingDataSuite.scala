package org.apache.spark.firesteel.ui

import org.scalatest.funsuite.AnyFunSuite

import firesteel.train.{ClusterChange, ExecutorTimes, Metric, TimeSplit}

class TrainingDataSuite extends AnyFunSuite {

  private def sums(first: Long, iterations: Long = 1): IterationSums =
    IterationSums(
      first,
      iterations,
      iterations * 5.0,
      iterations * 10,
      2.0,
      TimeSplit(1, 0, 0, 1),
      0.1
    )

  private val started =
    TrainingStarted("a", 0, "net", Nil, "{}", "{}", 1, 10, 1, 100, 1, 1)

  test("a curve keeps all points as long as they are few") {
    val curve = (0 until Curve.Limit).foldLeft(Curve())((curve, i) => curve + sums(i.toLong))
    assert(curve.points == (0 until Curve.Limit).map(i => sums(i.toLong)))
  }

  test("a long curve is bounded, evenly coarse, and loses no iteration") {
    var curve = Curve()
    for (i <- 0 until 100000) {
      curve = curve + sums(i * 3L, 3)
      assert(curve.points.length <= Curve.Limit)
    }
    assert(curve.points.length > Curve.Limit / 3)
    assert(curve.points.map(_.iterations).sum == 300000)
    assert(curve.points.map(_.records).sum == 3000000)
    assert(curve.points.map(_.first) == curve.points.scanLeft(0L)(_ + _.iterations).init)
    val widths = curve.points.init.map(_.iterations)
    assert(widths.max <= 2 * widths.min)
  }

  test("iterations that are done again take the place of the first time") {
    val curve = Seq(0L, 1L, 2L, 3L, 1L, 2L).foldLeft(Curve())((curve, i) => curve + sums(i))
    assert(curve.points.map(_.first) == Seq(0, 1, 2))
  }

  test("a training of a million of everything stays small") {
    var data = TrainingData("a", started)
    for (i <- 0L until 20000L) {
      data = data + TrainingIterated("a", 0, sums(i), Seq(ExecutorTimes(i.toString, 1, 1, 1)))
      data = data + TrainingValidated("a", i, Seq(Metric("Loss", 1)))
      data = data + TrainingEpochEnded("a", i, i.toInt, 1, 1, 1, "")
      data = data + TrainingClusterChanged("a", i, ClusterChange(i, 1, 1, "", 1))
    }
    assert(data.executors.length == 1000)
    assert(data.executors.last.id == "19999")
    assert(data.epochs.length == 1000)
    assert(data.changes.length == 1000)
    assert(data.curve.points.length <= Curve.Limit)
    assert(data.validations.length <= Curve.Limit)
    assert(data.validations.last.done == 19999)
  }

  test("an executor's times are summed, its memory is the last") {
    val two = TrainingData("a", started) +
      TrainingIterated("a", 0, sums(0, 4), Seq(ExecutorTimes("7", 8, 2, 100))) +
      TrainingIterated("a", 0, sums(4, 2), Seq(ExecutorTimes("7", 6, 1, 90)))
    assert(two.executors == Seq(ExecutorData("7", 6, 14, 3, 3, 90, 6)))
  }

  test("axes have round ticks around the values") {
    assert(Ticks(0.0, 1.0).values == Seq(0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0))
    assert(Ticks(3.0, 97.0).values == Seq(0.0, 20.0, 40.0, 60.0, 80.0, 100.0))
    assert(Ticks(90.0, 97.0).values == Seq(90.0, 92.0, 94.0, 96.0, 98.0))
    for ((least, most) <- Seq((0.0, 0.0), (5.0, 5.0), (-2.0, 3.0), (1e-12, 2e-12), (1e15, 3e15))) {
      val ticks = Ticks(least, most)
      assert(ticks.low <= least && ticks.high >= most && ticks.high > ticks.low, (least, most))
      assert(ticks.values.length <= 8)
    }
  }

  test("numbers are short") {
    val shown = Seq(0.0, 0.25, 1234.5678, 12345.0, 1234567.0, 2.5e7, 3e11, 0.000012, -0.5, 0.001)
    assert(
      shown.map(Ticks.format) == Seq("0", "0.25", "1235", "12.3K", "1234.6K", "25M", "300G") ++
        Seq("1.2e-05", "-0.5", "0.001")
    )
  }
}
