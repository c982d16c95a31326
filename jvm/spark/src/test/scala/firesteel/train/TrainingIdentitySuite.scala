package firesteel.train

import org.scalatest.funsuite.AnyFunSuite

import firesteel.nn._
import firesteel.optim.{Adam, Common, SGD}

class TrainingIdentitySuite extends AnyFunSuite {
  private val saved = TrainingIdentity(
    Sequential(Seq(4)).add(Dense(3)).toJson,
    CrossEntropy().toJson,
    Adam(learningRate = 0.01).toJson,
    batchSize = 50,
    seed = 7,
    rows = Vector(100L, 101L)
  )

  private val changes: Seq[(TrainingIdentity, String)] = Seq(
    saved.copy(loss = MeanSquaredError().toJson) ->
      "loss/class \"MeanSquaredError\" instead of \"CrossEntropy\"",
    saved.copy(optimizer = Adam(learningRate = 0.02).toJson) ->
      "optimizer/config/learning_rate 0.02 instead of 0.01",
    saved.copy(optimizer =
      Adam(learningRate = 0.01, common = Common(clipValue = Some(1))).toJson
    ) ->
      "optimizer/config/clip_value 1.0 instead of ",
    saved.copy(microBatch = 16) -> "micro-batch 16 instead of 0",
    saved.copy(strategy = Strategy(Some("bf16"))) ->
      "strategy/gradient_compression \"bf16\" instead of null",
    saved.copy(strategy = Strategy(precision = "bf16")) ->
      "strategy/precision \"bf16\" instead of nothing",
    saved.copy(batchSize = 51) -> "batch size 51 instead of 50",
    saved.copy(seed = 8) -> "seed 8 instead of 7",
    saved.copy(rows = Vector(67, 67, 67)) -> "number of shards 3 instead of 2",
    saved.copy(rows = Vector(100, 102)) -> "number of training rows 202 instead of 201",
    saved.copy(rows = Vector(101, 100)) -> "rows of the shards Vector(101, 100) instead of "
  )

  private val fatal: Seq[(TrainingIdentity, String)] = Seq(
    saved.copy(definition = Sequential(Seq(4)).add(Dense(5)).toJson) ->
      "model/layers/0/config/units 5 instead of 3",
    saved.copy(definition = Sequential(Seq(4)).add(Dense(3)).add(ReLU()).toJson) -> "model/layers ",
    saved.copy(strategy = Strategy(localSteps = Some(4))) ->
      "strategy/local_steps 4 instead of null",
    saved.copy(optimizer = SGD(learningRate = 0.01).toJson) ->
      "optimizer/class \"SGD\" instead of \"Adam\""
  )

  private def refusal(now: TrainingIdentity, allowChanges: Boolean): String =
    intercept[CheckpointException](now.checkResume(saved, "dir", allowChanges)).getMessage

  test("the same training goes on") {
    saved.checkResume(saved, "dir", allowChanges = false)
    assert(!saved.takesOtherRows(saved))
  }

  test("a changed setting is named, and is allowed when that is asked for") {
    changes.foreach { case (now, text) =>
      val message = refusal(now, allowChanges = false)
      assert(message.contains(text), message)
      assert(message.contains("setResumeChanged(true)"))
      now.checkResume(saved, "dir", allowChanges = true)
    }
    val several = saved.copy(seed = 8, batchSize = 51)
    assert(refusal(several, allowChanges = false).contains("instead of 50; seed 8 instead of 7"))
    assert(changes.map(_._1.takesOtherRows(saved)) == Seq.fill(6)(false) ++ Seq.fill(5)(true))
  }

  test("another model, or an optimizer with another state, is never allowed") {
    fatal.foreach { case (now, text) =>
      Seq(true, false).foreach { allowChanges =>
        val message = refusal(now, allowChanges)
        assert(message.contains(text), message)
        assert(!message.contains("setResumeChanged"))
      }
    }
  }
}
