package firesteel.optim

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, ObjectInputStream, ObjectOutputStream}

import scala.util.Random

import org.scalatest.funsuite.AnyFunSuite

import firesteel.train.{EpochResult, Evaluation, TrainingState}

class TriggerSuite extends AnyFunSuite {

  private val all: Seq[Trigger] = Seq(
    EveryEpoch(),
    SeveralIteration(3),
    MaxEpoch(2),
    MaxIteration(7),
    MaxScore(0.5),
    MinLoss(0.25),
    And(SeveralIteration(2), MinLoss(0.5)),
    Or(MaxEpoch(3), MinLoss(0.1), MaxScore(0.75)),
    EarlyStopping(patience = 2, minDelta = 0.05, monitor = "val_accuracy"),
    EarlyStopping(monitor = "loss")
  )

  /** One epoch has four iterations; the validation rows are measured after each epoch. */
  private def run(losses: Seq[Double], scores: Seq[Double]): Seq[TrainingState] = losses
    .scanLeft(TrainingState(iterationsPerEpoch = 4)) { (state, loss) =>
      val next = state.afterIteration(loss * 10, 10, 0.1)
      if (!next.epochEnded) next
      else {
        val correct = (scores((next.epoch - 1).toInt) * 100).round
        val evaluation = new Evaluation(100, 100 - correct.toDouble, correct)
        val epoch = (next.epoch - 1).toInt
        next
          .afterEpoch(
            EpochResult(epoch, next.meanLoss, next.records, 1, 1, "hash", Some(evaluation))
          )
          .afterMeasurement(evaluation)
      }
    }

  /** Numbers of the iterations after which the trigger fires. */
  private def fires(
      trigger: Trigger,
      losses: Seq[Double],
      scores: Seq[Double] = Seq(0.25, 0.5, 0.75)
  ): Seq[Long] = run(losses, scores).filter(trigger(_)).map(_.iteration)

  test("each trigger fires where BigDL's does") {
    val falling = (12 to 1 by -1).map(_ / 12.0)
    val cases: Seq[(Trigger, Seq[Long])] = Seq(
      Trigger.everyEpoch -> Seq(4, 8, 12),
      Trigger.severalIteration(1) -> (1L to 12L),
      Trigger.severalIteration(5) -> Seq(5, 10),
      Trigger.severalIteration(13) -> Nil,
      Trigger.maxEpoch(1) -> (4L to 12L),
      Trigger.maxEpoch(3) -> Seq(12),
      Trigger.maxIteration(10) -> Seq(10, 11, 12),
      Trigger.maxScore(0.25) -> (8L to 12L),
      Trigger.maxScore(0.5) -> Seq(12),
      Trigger.minLoss(0.25) -> Seq(11, 12),
      Trigger.and(Trigger.everyEpoch, Trigger.maxScore(0.25)) -> Seq(8, 12),
      Trigger.and(Trigger.severalIteration(2), Trigger.severalIteration(3)) -> Seq(6, 12),
      Trigger.or(Trigger.everyEpoch, Trigger.severalIteration(5)) -> Seq(4, 5, 8, 10, 12),
      Trigger.or(Trigger.maxEpoch(3), Trigger.minLoss(0.25)) -> Seq(11, 12)
    )
    cases.foreach { case (trigger, expected) =>
      assert(fires(trigger, falling) == expected, trigger)
    }
  }

  test("no trigger fires before the first iteration") {
    all.foreach(trigger => assert(!trigger(TrainingState(iterationsPerEpoch = 4)), trigger))
  }

  test("early stopping fires where Keras's does") {
    val scores = Seq(0.5, 0.6, 0.6, 0.61, 0.7, 0.7, 0.7, 0.7)
    def accuracy(patience: Int, minDelta: Double = 0): Option[Long] =
      run(Seq.fill(32)(1.0), scores)
        .find(EarlyStopping(patience, minDelta, "val_accuracy")(_))
        .map(_.epoch)
    assert(accuracy(0) == Some(3))
    assert(accuracy(1) == Some(3))
    assert(accuracy(2) == Some(7))
    assert(accuracy(3) == Some(8))
    assert(accuracy(4).isEmpty)
    assert(accuracy(2, minDelta = 0.05) == Some(4))
    assert(accuracy(3, minDelta = 0.05) == Some(8))
    val loss = run(Seq.fill(32)(1.0), scores).find(EarlyStopping(2)(_)).map(_.epoch)
    assert(loss == Some(7), "the validation loss is what the accuracy lacks to 1")
    val losses = Seq(3.0, 2.0, 2.0, 1.0, 1.5, 1.5, 1.5).flatMap(Seq.fill(4)(_))
    val learned = run(losses, scores).find(EarlyStopping(2, monitor = "loss")(_)).map(_.epoch)
    assert(learned == Some(6))
  }

  test("a trigger never fires before its horizon, unless a loss makes it") {
    val random = new Random(3)
    def some(depth: Int): Trigger = random.nextInt(if (depth == 0) 7 else 9) match {
      case 0 => EveryEpoch()
      case 1 => SeveralIteration(1L + random.nextInt(9))
      case 2 => MaxEpoch(1 + random.nextInt(3))
      case 3 => MaxIteration(1L + random.nextInt(14))
      case 4 => MaxScore(random.nextDouble())
      case 5 => MinLoss(random.nextDouble())
      case 6 =>
        EarlyStopping(random.nextInt(3), 0.1, if (random.nextBoolean()) "loss" else "val_loss")
      case 7 => And(Seq.fill(1 + random.nextInt(3))(some(depth - 1)): _*)
      case 8 => Or(Seq.fill(1 + random.nextInt(3))(some(depth - 1)): _*)
    }
    var early = 0
    for (_ <- 0 until 2000) {
      val trigger = some(2)
      val states =
        run(Seq.fill(16)(random.nextDouble()), Seq.fill(4)(random.nextDouble())).toIndexedSeq
      for (start <- states.indices.init) {
        val horizon = trigger.horizon(states(start))
        assert(horizon >= 1, trigger)
        // A group ends where something is measured, and so do the iterations looked at.
        val group = states.drop(start + 1).take(4 - start % 4)
        val first = group.indexWhere(trigger(_)) + 1
        val isMeasured = first > 0 && group(first - 1).epochEnded
        if (first > 0 && first < horizon && !isMeasured) {
          assert(trigger.needsLoss, s"$trigger from $start fires after $first, not $horizon")
          early += 1
        }
      }
    }
    assert(early > 100)
  }

  test("what is known of a trigger in advance bounds a group") {
    val states = run(Seq.fill(12)(1.0), Seq(0.25, 0.5, 0.75))
    def horizons(trigger: Trigger): Seq[Long] = states.take(6).map(trigger.horizon(_))
    val never = Long.MaxValue
    assert(horizons(EveryEpoch()) == Seq(4, 3, 2, 1, 4, 3))
    assert(horizons(SeveralIteration(5)) == Seq(5, 4, 3, 2, 1, 5))
    assert(horizons(MaxEpoch(2)) == Seq(8, 7, 6, 5, 4, 3))
    assert(horizons(MaxIteration(3)) == Seq(3, 2, 1, 1, 1, 1))
    assert(horizons(MaxScore(0.2)) == Seq(never, never, never, never, 1, 1))
    assert(horizons(MinLoss(0.2)) == Seq.fill(6)(never))
    assert(horizons(And(MinLoss(0.2), EveryEpoch())) == Seq(4, 3, 2, 1, 4, 3))
    assert(horizons(Or(MinLoss(0.2), SeveralIteration(3))) == Seq(3, 2, 1, 3, 2, 1))
    assert(!And(MinLoss(0.2), EveryEpoch()).needsLoss)
    assert(And(MinLoss(0.2), Or(MinLoss(0.1), EveryEpoch())).needsLoss)
    assert(Or(MinLoss(0.2), EveryEpoch()).needsLoss)
    assert(MaxEpoch(Int.MaxValue).horizon(TrainingState(Int.MaxValue.toLong)) > Long.MaxValue / 4)
  }

  test("a trigger knows whether it waits for validation") {
    val score = MaxScore(0.5)
    Seq(score, EarlyStopping(), And(score, EveryEpoch()), Or(score, EarlyStopping())).foreach { t =>
      assert(t.needsValidation, t)
    }
    Seq(
      MaxEpoch(1),
      MinLoss(1),
      EarlyStopping(monitor = "loss"),
      Or(score, EveryEpoch()),
      And(EveryEpoch(), MinLoss(1))
    ).foreach(t => assert(!t.needsValidation, t))
  }

  test("JSON and Java's serialization bring every trigger back") {
    all.foreach { trigger =>
      assert(Trigger.fromJson(trigger.toJson) == trigger)
      val bytes = new ByteArrayOutputStream
      new ObjectOutputStream(bytes).writeObject(trigger)
      val in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray))
      assert(in.readObject() == trigger)
    }
  }

  test("what is no trigger is refused with its reason") {
    val cases = Seq(
      "{" -> "Unexpected",
      "7" -> "class ",
      """{"class":"Never"}""" -> "class Never",
      """{"class":"MaxEpoch"}""" -> "no valid max",
      """{"class":"MaxEpoch","config":{"max":"1"}}""" -> "no valid max",
      """{"class":"Or","config":{"triggers":[{"class":"Nor"}]}}""" -> "class Nor",
      """{"class":"MaxEpoch","config":{"max":0}}""" -> "expected 1 or more, got 0",
      """{"class":"And","config":{"triggers":[]}}""" -> "number of triggers"
    )
    cases.foreach { case (json, reason) =>
      val e = intercept[IllegalArgumentException](Trigger.fromJson(json))
      assert(e.getMessage.contains(reason), e.getMessage)
    }
    intercept[IllegalArgumentException](SeveralIteration(0))
    intercept[IllegalArgumentException](EarlyStopping(-1))
    intercept[IllegalArgumentException](EarlyStopping(minDelta = Double.NaN))
    val e = intercept[IllegalArgumentException](EarlyStopping(monitor = "auc"))
    assert(e.getMessage.contains("expected a monitor of val_loss, val_accuracy, loss"))
  }
}
