package firesteel.ml

import java.nio.file.Files

import org.apache.spark.ml.param.ParamMap
import org.apache.spark.sql.types._

import firesteel.SparkSuite
import firesteel.nn._
import firesteel.optim._
import firesteel.train.{CheckpointSettings, Strategy}

class NNTrainingParamsSuite extends SparkSuite {

  private def estimator: NNEstimator =
    NNEstimator(Sequential(Seq(4)).add(Dense(2)), MeanSquaredError())

  private val whole = CheckpointSettings(
    "hdfs:///lenet",
    SeveralIteration(100),
    keep = 3,
    resume = true,
    allowChanges = true
  )

  private def configured: NNEstimator = estimator
    .setEndWhen(Or(MaxEpoch(20), MaxScore(0.9)))
    .setCheckpoint("hdfs:///lenet", SeveralIteration(100), keep = 3)
    .setResume(true)
    .setResumeChanged(true)
    .setConstantGradientClipping(-0.5, 0.5)
    .setGradientClippingByL2Norm(2)
    .setGradientCompression("bf16")
    .setLocalSteps(8)
    .setPrecision("bf16")

  test("a training ends after maxEpoch epochs, or when endWhen fires") {
    assert(estimator.getEndWhen == MaxEpoch(50))
    assert(estimator.setMaxEpoch(7).getEndWhen == MaxEpoch(7))
    assert(estimator.setMaxEpoch(7).setEndWhen(MaxIteration(9)).getEndWhen == MaxIteration(9))
  }

  test("checkpoints are written where and when that was said") {
    assert(estimator.getCheckpoint.isEmpty)
    assert(configured.getCheckpoint.contains(whole))
    val once = estimator.setCheckpoint("dir", EveryEpoch())
    assert(once.getCheckpoint.contains(CheckpointSettings("dir", EveryEpoch())))
    def keep(isOverWrite: Boolean): Option[Int] =
      estimator.setCheckpoint("dir", EveryEpoch(), isOverWrite).getCheckpoint.map(_.keep)
    assert((keep(true), keep(false)) == ((Some(1), Some(Int.MaxValue))))
    intercept[IllegalArgumentException](estimator.setCheckpoint("dir", EveryEpoch(), keep = 0))
    val e = intercept[IllegalStateException](estimator.setResume(true).getCheckpoint)
    assert(e.getMessage.contains("setCheckpoint(…) too"))
  }

  test("clipping is a setting of the optimizer, and can be taken back") {
    val adam = estimator.setOptimizer(Adam(common = Common(clipValue = Some(1))))
    def clips(estimator: NNEstimator): (Double, Double) = {
      val config = NNFitting.json.readTree(estimator.optimizerJson).path("config")
      (config.path("clip_value").asDouble, config.path("clip_norm").asDouble)
    }
    assert(clips(adam) == ((1, 0)))
    assert(clips(adam.setConstantGradientClipping(-0.5, 0.5)) == ((0.5, 0)))
    assert(clips(adam.setGradientClippingByL2Norm(2)) == ((0.5, 2)))
    assert(clips(adam.clearGradientClipping()) == ((1, 0)))
    assert(clips(estimator.setConstantGradientClipping(-3, 3)) == ((3, 0)))
    val e = intercept[IllegalArgumentException](adam.setConstantGradientClipping(-1, 2))
    assert(e.getMessage.contains("expected gradient clipping to [-max, max], got [-1.0, 2.0]"))
    intercept[IllegalArgumentException](adam.setConstantGradientClipping(0, 0))
    intercept[IllegalArgumentException](adam.setGradientClippingByL2Norm(-1))
  }

  test("what executors exchange has a strategy, whole gradients if none is set") {
    assert(estimator.strategy == Strategy())
    assert(configured.strategy == Strategy(Some("bf16"), Some(8), "bf16"))
    assert(configured.setGradientCompression("none").strategy == Strategy(None, Some(8), "bf16"))
    intercept[IllegalArgumentException](estimator.setGradientCompression("int8"))
    intercept[IllegalArgumentException](estimator.setLocalSteps(0))
    intercept[IllegalArgumentException](estimator.setPrecision("f16"))
  }

  test("a bound on the gradient's elements is known to the engine") {
    val schema = StructType(Seq("features", "label").map(StructField(_, ArrayType(FloatType))))
    estimator.setConstantGradientClipping(-1, 1).transformSchema(schema)
  }

  test("validation has a trigger, after every epoch if none is set") {
    withSpark("local[1]") { spark =>
      assert(estimator.getValidationTrigger == EveryEpoch())
      val rows = spark.range(3)
      assert(estimator.setValidation(rows).getValidationTrigger == EveryEpoch())
      val often = estimator.setValidation(SeveralIteration(10), rows)
      assert(often.getValidationTrigger == SeveralIteration(10))
      assert(often.copy(ParamMap.empty).getValidationTrigger == SeveralIteration(10))
    }
  }

  test("a trigger that waits for validation wants validation rows") {
    withSpark("local[1]") { spark =>
      val rows = spark.range(3).selectExpr("array(1f, 2f, 3f, 4f) as features", "1f as label")
      Seq(
        estimator.setEndWhen(And(MaxScore(0.9), EveryEpoch())),
        estimator.setCheckpoint("dir", EarlyStopping())
      ).foreach { waiting =>
        val e = intercept[IllegalStateException](waiting.fit(rows))
        assert(e.getMessage.contains("Call setValidation(…) too"))
      }
    }
  }

  test("all of it is saved and loaded with both estimators") {
    withSpark("local[1]") { _ =>
      val folder = Files.createTempDirectory("firesteel")
      configured.save(s"$folder/estimator")
      val loaded = NNEstimator.load(s"$folder/estimator")
      assert(loaded.getEndWhen == Or(MaxEpoch(20), MaxScore(0.9)))
      assert(loaded.getCheckpoint.contains(whole))
      assert(loaded.optimizerJson == configured.optimizerJson)
      assert(loaded.strategy == configured.strategy)
      NNClassifier(Sequential(Seq(4)).add(Dense(2)), CrossEntropy())
        .setCheckpoint("dir", EarlyStopping(patience = 3))
        .save(s"$folder/classifier")
      assert(
        NNClassifier.load(s"$folder/classifier").getCheckpoint ==
          Some(CheckpointSettings("dir", EarlyStopping(patience = 3)))
      )
    }
  }
}
