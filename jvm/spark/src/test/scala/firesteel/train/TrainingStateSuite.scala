package firesteel.train

import org.scalatest.funsuite.AnyFunSuite

class TrainingStateSuite extends AnyFunSuite {

  private def result(state: TrainingState, validation: Option[Evaluation] = None): EpochResult =
    EpochResult(
      (state.epoch - 1).toInt,
      state.meanLoss,
      state.records,
      state.seconds,
      1.5,
      "abc",
      validation
    )

  private def after(iterations: Int): TrainingState =
    (1 to iterations).foldLeft(TrainingState(iterationsPerEpoch = 3)) { (state, n) =>
      val next = state.afterIteration(lossSum = n.toDouble, records = 2, seconds = 0.5)
      if (next.epochEnded) next.afterEpoch(result(next)) else next
    }

  test("iterations add up to epochs") {
    val positions = (0 to 7).map(after).map(s => (s.epoch, s.index, s.epochEnded))
    assert(
      positions == Seq(
        (0, 0, false),
        (0, 1, false),
        (0, 2, false),
        (1, 0, true),
        (1, 1, false),
        (1, 2, false),
        (2, 0, true),
        (2, 1, false)
      )
    )
    assert((0 to 7).map(after(_).lossSum) == Seq(0, 1, 3, 6, 4, 9, 15, 7))
    assert((0 to 7).map(after(_).records) == Seq(0, 2, 4, 6, 2, 4, 6, 2))
    assert((0 to 7).map(after(_).loss) == None +: (1 to 7).map(n => Some(n / 2.0)))
    assert(after(6).epochs.map(_.loss) == Vector(1.0, 2.5))
    assert(after(6).epochs.map(_.seconds) == Vector(1.5, 1.5))
    assert(after(0).meanLoss.isNaN)
  }

  test("an epoch of one iteration ends with each") {
    val state = TrainingState(iterationsPerEpoch = 1)
      .afterIteration(4, 2, 1)
      .afterIteration(6, 3, 1)
    assert((state.epoch, state.epochEnded, state.lossSum, state.records) == ((2, true, 6.0, 3)))
  }

  test("measurements are kept with the place where they were made") {
    val state =
      after(4).afterMeasurement(Evaluation(10, 5, 9)).afterMeasurement(Evaluation(10, 4, 7))
    assert(state.measurements.map(m => (m.iteration, m.epoch)) == Vector((4, 1), (4, 1)))
    assert(state.score.contains(0.7) && state.bestScore.contains(0.9))
    assert(after(4).score.isEmpty && after(4).bestScore.isEmpty)
  }

  test("a result belongs to the end of an epoch") {
    intercept[IllegalArgumentException](after(4).afterEpoch(result(after(3))))
  }

  test("an epoch that is restarted begins with none of its rows seen") {
    val state = after(5).restartEpoch(iterationsPerEpoch = 7)
    assert(state == after(5).copy(
      iterationsPerEpoch = 7,
      index = 0,
      lossSum = 0,
      records = 0,
      seconds = 0
    ))
    assert((state.iteration, state.epoch, state.epochEnded) == ((5, 1, false)))
    assert(after(6).restartEpoch(7) == after(6).copy(iterationsPerEpoch = 7))
    assert((1 to 7).foldLeft(state)((s, _) => s.afterIteration(1, 1, 1)).epoch == 2)
  }

  test("JSON keeps every bit") {
    val odd = Seq(0.1 + 0.2, -0.0, Double.MinPositiveValue, Double.NaN, Double.PositiveInfinity)
    val states = Seq(
      after(0),
      after(4),
      after(6).afterMeasurement(Evaluation(10, 0.1, 9)),
      after(3).copy(epochs = Vector(result(after(3), Some(Evaluation(7, 1.0 / 3, 1))))),
      after(3).copy(iteration = Long.MaxValue, loss = None)
    ) ++ odd.map(value => after(2).copy(lossSum = value, loss = Some(-value)))
    states.foreach { state =>
      val text = TrainingStateJson.write(state).toString
      val read = TrainingStateJson.read(new JsonFields(JsonFields.Mapper.readTree(text)))
      def bits(s: TrainingState) =
        (s.lossSum +: s.loss.toSeq).map(java.lang.Double.doubleToRawLongBits)
      assert(bits(read) == bits(state))
      assert(read.copy(lossSum = 0, loss = None) == state.copy(lossSum = 0, loss = None))
    }
  }

  test("JSON without a field, or with one of another type, names it") {
    val text = TrainingStateJson.write(after(4)).toString
    val cases = Seq(
      text.replace("\"index\":1", "\"index\":\"1\"") -> "field \"index\": expected a whole number",
      text.replace("\"index\":1,", "") -> "field \"index\": expected a whole number, got nothing",
      text.replace("\"epochs\":[{\"epoch\":0", "\"epochs\":[{\"epoch\":null") -> "field \"epoch\"",
      text.replace("\"measurements\":[]", "\"measurements\":{}") -> "expected an array, got {}"
    )
    cases.foreach { case (damaged, message) =>
      assert(damaged != text)
      val e = intercept[IllegalArgumentException](
        TrainingStateJson.read(new JsonFields(JsonFields.Mapper.readTree(damaged)))
      )
      assert(e.getMessage.contains(message), e.getMessage)
    }
  }
}
