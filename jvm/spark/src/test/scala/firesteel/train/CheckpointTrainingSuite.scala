package firesteel.train

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.apache.commons.io.FileUtils
import org.apache.spark.sql.SparkSession

import firesteel.ml.{NNClassifier, NNClassifierModel}
import firesteel.nn._
import firesteel.optim._

/** Trainings that end somewhere and go on in another application. */
class CheckpointTrainingSuite extends TrainingFixture {
  private val model =
    Sequential(Seq(4)).add(Dense(16, activation = "tanh")).add(Dropout(0.2)).add(Dense(3))

  /** Three epochs of 12 iterations. */
  private def classifier: NNClassifier = NNClassifier(model, CrossEntropy())
    .setFeaturesCol("x")
    .setOptimizer(Adam(learningRate = 0.01))
    .setBatchSize(50)
    .setMaxEpoch(3)
    .setSeed(7)
    .setShards(4)

  private def withFolder[T](test: Path => T): T = {
    val folder = Files.createTempDirectory("firesteel-resume")
    try test(folder)
    finally FileUtils.deleteDirectory(folder.toFile)
  }

  private def fit(spark: SparkSession, classifier: NNClassifier): NNClassifierModel =
    classifier.setValidation(rows(spark, count = 100)).fit(rows(spark))

  private def fit(classifier: NNClassifier, master: String = "local[2]"): NNClassifierModel =
    withSpark(master)(fit(_, classifier))

  /** All that a training brought, but for its times. */
  private def brought(model: NNClassifierModel): (String, Seq[EpochResult]) =
    (model.weightsHash, model.summary.get.epochs.map(_.copy(seconds = 0, iterationMs = 0)))

  private def names(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq.sorted)

  private def refusal(body: => Any): String = intercept[CheckpointException](body).getMessage

  test("a training that was broken off goes on to the bits of an undisturbed one") {
    withSpark("local[2]") { spark =>
      val expected = brought(fit(spark, classifier))
      Seq(1L -> 1L, 5L -> 5L, 5L -> 12L, 12L -> 12L, 5L -> 17L, 12L -> 30L, 7L -> 35L).foreach {
        case (every, end) =>
          withFolder { folder =>
            def continuing = classifier
              .setCheckpoint(s"file://$folder", SeveralIteration(every))
              .setResume(true)
            fit(spark, continuing.setEndWhen(MaxIteration(end)))
            assert(names(folder) == Seq(f"checkpoint-${end - end % every}%012d"))
            assert(brought(fit(spark, continuing)) == expected, s"every $every, ended at $end")
          }
      }
    }
  }

  test("another cluster goes on with a checkpoint, and back, to the same bits") {
    val expected = brought(fit(classifier))
    withFolder { folder =>
      def continuing = classifier
        .setCheckpoint(folder.toString, SeveralIteration(5), keep = 2)
        .setResume(true)
      fit(continuing.setEndWhen(MaxIteration(7)))
      fit(continuing.setEndWhen(MaxIteration(16)), "local-cluster[2,1,1024]")
      assert(names(folder).last == "checkpoint-000000000015")
      assert(brought(fit(continuing, "local[3]")) == expected)
    }
  }

  test("the number of shards is that of the checkpoint") {
    withFolder { folder =>
      def continuing = {
        val automatic = classifier
          .setCheckpoint(folder.toString, EveryEpoch())
          .setResume(true)
        automatic.clear(automatic.shards)
        automatic
      }
      val expected = brought(fit(classifier.setShards(2)))
      fit(continuing.setMaxEpoch(1), "local[2]")
      assert(brought(fit(continuing, "local[3]")) == expected)
    }
  }

  test("a complete training gives its model without another iteration") {
    withFolder { folder =>
      def continuing = classifier.setCheckpoint(folder.toString, EveryEpoch()).setResume(true)
      val expected = brought(fit(continuing))
      withSpark("local[2]") { spark =>
        val jobs = new JobNames(spark)
        assert(brought(fit(spark, continuing)) == expected)
        spark.stop()
        assert(jobs.containing("iteration").isEmpty)
      }
      val longer = brought(fit(classifier.setMaxEpoch(4)))
      assert(brought(fit(continuing.setMaxEpoch(4))) == longer)
    }
  }

  test("checkpoints of an earlier training are not overwritten without being asked") {
    withFolder { folder =>
      val writing = classifier.setCheckpoint(folder.toString, EveryEpoch()).setMaxEpoch(1)
      fit(writing)
      assert(refusal(fit(writing)).contains("expected none, got checkpoint-000000000012"))
      assert(names(folder) == Seq("checkpoint-000000000012"))
    }
  }

  test("changed settings are named, and allowed when that is asked for") {
    withFolder { folder =>
      def continuing = classifier
        .setCheckpoint(folder.toString, SeveralIteration(5))
        .setResume(true)
      fit(continuing.setEndWhen(MaxIteration(17)))
      val smaller = continuing.setBatchSize(30).setShards(3)
      val message = refusal(fit(smaller))
      assert(message.contains("batch size 30 instead of 50; number of shards 3 instead of 4"))
      val changed = fit(smaller.setResumeChanged(true)).summary.get
      assert(changed.epochs.map(_.records) == Seq(600, 600, 600))
      assert(
        refusal(fit(continuing.setResumeChanged(true).setOptimizer(SGD()))).contains("optimizer")
      )
    }
  }

  test("a damaged checkpoint sends the training to the one before it, to the same bits") {
    val expected = brought(fit(classifier))
    withFolder { folder =>
      def continuing = classifier
        .setCheckpoint(folder.toString, SeveralIteration(5), keep = 2)
        .setResume(true)
      fit(continuing.setEndWhen(MaxIteration(17)))
      assert(names(folder) == Seq("checkpoint-000000000010", "checkpoint-000000000015"))
      val state = folder.resolve("checkpoint-000000000015/state-0-of-1.safetensors")
      val bytes = Files.readAllBytes(state)
      bytes(bytes.length - 3) = (bytes(bytes.length - 3) ^ 4).toByte
      Files.delete(folder.resolve("checkpoint-000000000015/.state-0-of-1.safetensors.crc"))
      Files.write(state, bytes)
      assert(brought(fit(continuing)) == expected)
    }
  }

  test("a trigger that looks at the loss ends a group where single iterations end") {
    def ended(group: String): (String, Long) =
      withFolder { folder =>
        withSpark("local[2]", "spark.firesteel.group" -> group) { spark =>
          val once = classifier
            .setEndWhen(Or(MinLoss(0.9), MaxEpoch(3)))
            .setCheckpoint(folder.toString, MinLoss(0.9))
          val hash = fit(spark, once).weightsHash
          (hash, names(folder).last.stripPrefix("checkpoint-").toLong)
        }
      }
    val single = ended("1")
    assert(single._2 % 12 != 0 && single._2 > 1, "the loss is reached within an epoch")
    assert(Seq("4", "auto").map(ended) == Seq(single, single))
  }

  test("validation and the end follow their triggers") {
    withFolder { folder =>
      withSpark("local[2]") { spark =>
        classifier
          .setValidation(SeveralIteration(5), rows(spark, count = 100))
          .setEndWhen(Or(And(MaxScore(0.6), SeveralIteration(2)), MaxEpoch(9)))
          .setCheckpoint(folder.toString, SeveralIteration(1))
          .fit(rows(spark))
        val conf = spark.sparkContext.hadoopConfiguration
        val state = new CheckpointStore(folder.toString, 1, conf).latest().get.manifest.state
        assert(state.measurements.map(_.iteration) == (5L to state.iteration by 5L))
        assert(state.iteration % 2 == 0 && state.score.exists(_ > 0.6) && state.epoch < 9)
        assert(state.measurements.init.forall(_.evaluation.accuracy <= 0.6))
        assert(state.iteration - state.measurements.last.iteration < 2)
      }
    }
  }
}
