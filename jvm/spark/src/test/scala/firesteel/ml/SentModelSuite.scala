package firesteel.ml

import java.nio.file.{Files, Path}

import firesteel.nn.CrossEntropy
import firesteel.optim.Adam
import firesteel.train.TrainingFixture

class SentModelSuite extends TrainingFixture {

  private def inFolder[T](use: Path => T): T = use(Files.createTempDirectory("firesteel"))

  private def classifier: NNClassifier = NNClassifier(network, CrossEntropy())
    .setFeaturesCol("x")
    .setOptimizer(Adam(learningRate = 0.01))
    .setBatchSize(50)
    .setMaxEpoch(1)
    .setShards(4)
    .setSeed(7)

  test("a model of many pieces predicts on executors what one of a single piece does") {
    inFolder { folder =>
      val expected = withSpark("local[2]") { spark =>
        val model = classifier.fit(rows(spark))
        model.save(s"$folder/one")
        model.transform(rows(spark)).select("prediction").collect().toSeq
      }
      withSpark("local-cluster[2,1,1024]", "spark.firesteel.model.piece" -> "10") { spark =>
        val trained = classifier.fit(rows(spark))
        trained.save(s"$folder/pieces")
        val loaded = Seq("one", "pieces").map(name => NNClassifierModel.load(s"$folder/$name"))
        (trained +: loaded).foreach { model =>
          assert(model.transform(rows(spark)).select("prediction").collect().toSeq == expected)
          assert(model.weightsHash == trained.weightsHash)
        }
      }
      val files = Seq("one", "pieces").map(name => folder.resolve(s"$name/model.safetensors"))
      assert(Files.mismatch(files(0), files(1)) == -1)
    }
  }
}
