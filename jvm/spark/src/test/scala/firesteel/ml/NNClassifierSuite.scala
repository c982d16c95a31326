package firesteel.ml

import java.io.IOException
import java.nio.file.{Files, Path}

import org.apache.spark.ml.{Pipeline, PipelineModel}
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.VectorAssembler
import org.apache.spark.ml.tuning.{CrossValidator, ParamGridBuilder}
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.col

import firesteel.data.DataException
import firesteel.inference.InferenceModel
import firesteel.jni.NativeBuffer
import firesteel.nn._
import firesteel.optim.{Adam, SGD}
import firesteel.train.TrainingFixture

class NNClassifierSuite extends TrainingFixture {

  private def classifier: NNClassifier = NNClassifier(network, CrossEntropy())
    .setFeaturesCol("x")
    .setOptimizer(Adam(learningRate = 0.01))
    .setBatchSize(50)
    .setMaxEpoch(3)
    .setShards(4)
    .setSeed(7)

  private def inFolder[T](use: Path => T): T = use(Files.createTempDirectory("firesteel"))

  private def predictions(predicted: DataFrame): Seq[Double] =
    predicted.select("prediction").collect().toSeq.map(_.getDouble(0))

  test("a pipeline is fitted, saved, loaded, and predicts the same") {
    withSpark("local[2]") { spark =>
      inFolder { folder =>
        val data = (0 until 4).foldLeft(rows(spark))((d, i) => d.withColumn(s"x$i", col("x")(i)))
        val assembler =
          new VectorAssembler().setInputCols(Array("x0", "x1", "x2", "x3")).setOutputCol("vector")
        val pipeline =
          new Pipeline().setStages(Array(assembler, classifier.setFeaturesCol("vector")))
        pipeline.save(s"$folder/pipeline")
        val model = Pipeline.load(s"$folder/pipeline").fit(data)
        model.save(s"$folder/model")
        val expected = predictions(model.transform(data))
        assert(expected.toSet == Set(0.0, 1.0, 2.0))
        assert(predictions(PipelineModel.load(s"$folder/model").transform(data)) == expected)
      }
    }
  }

  test("Spark's evaluator and cross-validation accept the predictions") {
    withSpark("local[2]") { spark =>
      val evaluator = new MulticlassClassificationEvaluator().setMetricName("accuracy")
      val stage = classifier.setMaxEpoch(5)
      val grid = new ParamGridBuilder().addGrid(stage.learningRate, Array(1e-6, 0.02)).build()
      val validator = new CrossValidator()
        .setEstimator(stage)
        .setEvaluator(evaluator)
        .setEstimatorParamMaps(grid)
        .setNumFolds(2)
        .setSeed(1)
      val metrics = validator.fit(rows(spark)).avgMetrics
      assert(metrics(1) > 0.7)
      assert(metrics(1) > metrics(0))
    }
  }

  test("the model file in a saved stage is read by plain Java") {
    withSpark("local[2]") { spark =>
      inFolder { folder =>
        val data = rows(spark, count = 20)
        val model = classifier.fit(data)
        model.write.overwrite().save(s"$folder/stage")
        model.saveModel(s"$folder/alone.safetensors")
        val expected = predictions(model.transform(data))
        Seq("stage/model.safetensors", "alone.safetensors").foreach { file =>
          val plain = new InferenceModel(1)
          try {
            plain.load(s"$folder/$file")
            val samples = data.select("x").collect().map(_.getSeq[Float](0).toArray)
            val outputs = samples.map(x => plain.predict(x, Array(1, 4)).toSeq)
            assert(outputs.map(o => o.indexOf(o.max).toDouble).toSeq == expected)
          } finally plain.close()
        }
        val again = intercept[IOException](model.saveModel(s"$folder/alone.safetensors"))
        assert(again.getMessage.contains("Remove it or choose another path"))
      }
    }
  }

  test("a truncated model file is refused when the stage is loaded") {
    withSpark("local[2]") { spark =>
      inFolder { folder =>
        classifier.fit(rows(spark, count = 20)).save(s"$folder/stage")
        val file = folder.resolve("stage/model.safetensors")
        Files.write(file, Files.readAllBytes(file).take(100))
        Files.delete(folder.resolve("stage/.model.safetensors.crc"))
        intercept[java.io.UncheckedIOException](NNClassifierModel.load(s"$folder/stage"))
      }
    }
  }

  test("parameters and summary stay with estimator, copies and model") {
    withSpark("local[2]") { spark =>
      inFolder { folder =>
        val stage = classifier.setPredictionCol("class").setValidation(rows(spark, count = 60))
        stage.save(s"$folder/stage")
        val loaded = NNClassifier.load(s"$folder/stage")
        assert(loaded.getMaxEpoch == 3 && loaded.getShards.contains(4) && loaded.getSeed == 7)
        assert(loaded.uid == stage.uid)
        val model = stage.copy(stage.extractParamMap()).fit(rows(spark))
        assert(model.getPredictionCol == "class")
        assert(model.summary.exists(_.epochs.forall(_.validation.exists(_.count == 60))))
        assert(model.weightsHash == loaded.fit(rows(spark)).weightsHash)
        assert(model.copy(model.extractParamMap()).weightsHash == model.weightsHash)
      }
    }
  }

  test("the learning rate of the stage takes the place of the optimizer's own") {
    withSpark("local[2]") { spark =>
      def hash(stage: NNClassifier) = stage.fit(rows(spark)).weightsHash
      assert(
        hash(classifier.setOptimizer(SGD(learningRate = 0.5)).setLearningRate(0.05)) ==
          hash(classifier.setOptimizer(SGD(learningRate = 0.05)))
      )
    }
  }

  test("several number columns are the elements of the single input") {
    withSpark("local[2]") { spark =>
      val data = (0 until 4).foldLeft(rows(spark))((d, i) => d.withColumn(s"x$i", col("x")(i)))
      val apart = classifier.setFeaturesCol(Array("x0", "x1", "x2", "x3"))
      assert(apart.fit(data).weightsHash == classifier.fit(data).weightsHash)
    }
  }

  test("a stage that is not complete or does not fit is refused before any job") {
    withSpark("local[2]") { spark =>
      val data = rows(spark)
      def refusal(stage: NNClassifier): String =
        intercept[IllegalArgumentException](stage.fit(data)).getMessage
      assert(
        intercept[IllegalStateException](new NNClassifier().fit(data)).getMessage
          .contains("Call setModel")
      )
      assert(refusal(classifier.setFeaturesCol("y")).contains("column \"y\""))
      assert(refusal(classifier.setLabelCol("y")).contains("column \"y\""))
      val scores = NNClassifier(Sequential(Seq(4), Dense(1)), CrossEntropy()).setFeaturesCol("x")
      assert(refusal(scores).contains("CrossEntropy"))
      assert(intercept[IllegalArgumentException](classifier.setBatchSize(0)).getMessage.nonEmpty)
      val taken = classifier.setPredictionCol("label")
      assert(
        intercept[IllegalArgumentException](taken.transformSchema(data.schema)).getMessage
          .contains("setPredictionCol")
      )
    }
  }

  test("a bad row is named when it is predicted") {
    withSpark("local[2]") { spark =>
      val model = classifier.fit(rows(spark))
      val bad = rows(spark, count = 10, partitions = 1)
        .selectExpr("case when label = 1 then null else x end as x")
      val e = intercept[Exception](model.transform(bad).collect())
      val causes = Iterator.iterate[Throwable](e)(_.getCause).takeWhile(_ != null).toSeq
      assert(causes.exists(_.isInstanceOf[DataException]))
    }
  }

  test("a stream of rows is predicted as it comes") {
    withSpark("local[2]") { spark =>
      inFolder { folder =>
        val model = classifier.fit(rows(spark))
        val data = rows(spark, count = 50)
        data.write.parquet(s"$folder/rows")
        val query = model
          .transform(spark.readStream.schema(data.schema).parquet(s"$folder/rows"))
          .writeStream
          .format("memory")
          .queryName("predicted")
          .start()
        try query.processAllAvailable()
        finally query.stop()
        assert(spark.table("predicted").count() == 50)
      }
    }
  }

  test("native memory is flat over fits and transforms") {
    withSpark("local[2]") { spark =>
      val data = rows(spark, count = 200).cache()
      def once(): Unit = {
        classifier.setMaxEpoch(1).fit(data).transform(data).collect()
        Predictors.closeIdle(0)
      }
      once()
      val before = NativeBuffer.allocated()
      (1 to 5).foreach(_ => once())
      assert(NativeBuffer.allocated() == before)
    }
  }
}
