package firesteel.ml

import java.nio.file.Files

import org.apache.spark.sql.functions._

import firesteel.nn._
import firesteel.optim.Adam
import firesteel.train.TrainingFixture

class NNEstimatorSuite extends TrainingFixture {

  private def estimator: NNEstimator =
    NNEstimator(Sequential(Seq(4), Dense(16, activation = "tanh"), Dense(2)), MeanSquaredError())
      .setFeaturesCol("x")
      .setLabelCol("target")
      .setOptimizer(Adam(learningRate = 0.02))
      .setBatchSize(50)
      .setMaxEpoch(15)
      .setShards(4)

  private val target = array(col("x")(0) + col("x")(1), col("x")(2) - col("x")(3))

  test("an estimator learns several numbers and predicts them as an array") {
    withSpark("local[2]") { spark =>
      val data = rows(spark).withColumn("target", target)
      val model = estimator.fit(data)
      val error = model
        .transform(data)
        .select(avg(pow(col("prediction")(0) - col("target")(0), 2)))
        .head()
        .getDouble(0)
      assert(error < 0.02)
      assert(model.transform(data).schema("prediction").dataType == NNModel.PredictionType)
    }
  }

  test("estimator and model are saved and loaded") {
    withSpark("local[2]") { spark =>
      val folder = Files.createTempDirectory("firesteel")
      val data = rows(spark).withColumn("target", target)
      estimator.setMaxEpoch(2).save(s"$folder/estimator")
      val model = NNEstimator.load(s"$folder/estimator").fit(data)
      model.save(s"$folder/model")
      val loaded = NNModel.load(s"$folder/model")
      assert(loaded.weightsHash == model.weightsHash)
      assert(loaded.transform(data).collect().toSeq == model.transform(data).collect().toSeq)
    }
  }

  test("predictions can be filtered, pruned, aggregated and joined with themselves") {
    withSpark("local[2]") { spark =>
      val data =
        rows(spark, count = 100).withColumn("target", target).withColumn("id", hash(col("x")))
      val predicted = estimator.setMaxEpoch(1).fit(data).transform(data)
      assert(predicted.select("id").count() == 100)
      assert(predicted.where("prediction[0] > -100").groupBy("label").count().count() == 3)
      assert(predicted.orderBy("id").limit(7).select("prediction").collect().length == 7)
      val joined = predicted.as("a").join(predicted.as("b"), "id")
      assert(joined.where("a.prediction = b.prediction").count() == 100)
    }
  }

  test("a model of several inputs takes a column for each") {
    withSpark("local[2]") { spark =>
      val (left, right) = (Input(Seq(2)), Input(Seq(2)))
      val joined = Dense(2)(Concatenate()(left, right))
      val data = rows(spark)
        .withColumn("target", target)
        .withColumn("left", slice(col("x"), 1, 2))
        .withColumn("right", slice(col("x"), 3, 2))
      val model = NNEstimator(Model(Seq(left, right), Seq(joined)), MeanSquaredError())
        .setFeaturesCol(Array("left", "right"))
        .setLabelCol("target")
        .setOptimizer(Adam(learningRate = 0.05))
        .setMaxEpoch(10)
        .setShards(2)
        .fit(data)
      assert(model.summary.exists(_.epochs.last.loss < 0.02))
      assert(model.transform(data).select("prediction").distinct().count() > 500)
    }
  }
}
