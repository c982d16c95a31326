package firesteel.examples

import org.apache.spark.sql.{DataFrame, SparkSession}

import firesteel.ml.NNClassifier
import firesteel.nn.CrossEntropy
import firesteel.optim._

/**
 * LeNet-5 learns Fashion-MNIST twice in the same number of epochs: in batches of `--batch` (128)
 * rows with Adam, and in batches 64 times as large (8,192) with [[firesteel.optim.LARS]]. Its rate
 * rises to 64 times that of the small batch ([[firesteel.optim.LinearScaling]]), then falls to 0
 * along half a cosine. Prints both accuracies and what the large batch loses.
 *
 * `--data`, `--epochs`, `--shards`, `--rate` (Adam's) and `--seed` are those of
 * [[LeNetFashionMnist]].
 */
object LargeBatch {
  private val Times = 64

  def main(args: Array[String]): Unit = {
    val options = Options.parse(args, Options(epochs = 24))
    val spark = SparkSession.builder().appName("LeNet-5 with large batches").getOrCreate()
    try run(spark, options)
    finally spark.stop()
  }

  private def run(spark: SparkSession, options: Options): Unit = {
    val train = LeNetFashionMnist.read(spark, options.data, "train").cache()
    val test = LeNetFashionMnist.read(spark, options.data, "test").cache()
    val large = options.batch * Times
    val rows = train.count()
    val optimizers =
      Seq(options.batch -> Adam(options.rate), large -> lars(options, large, rows))
    val accuracies = optimizers.map { case (batch, optimizer) =>
      val accuracy = learned(train, test, options, batch, optimizer)
      println(f"batch $batch: accuracy $accuracy%.4f after ${options.epochs} epochs")
      accuracy
    }
    println(f"difference ${accuracies.head - accuracies.last}%.4f")
  }

  /**
   * An epoch has 8 iterations here, so each has to go far: at the peak a step is 0.64 · 0.05, so
   * 3.2 % of a layer's size, before momentum. The default trust would need 50 times as many.
   */
  private def lars(options: Options, batch: Int, rows: Long): LARS = {
    val iterations = options.epochs * ((rows + batch - 1) / batch)
    val warmUp = iterations / 4
    val scaling = LinearScaling(0.01, options.batch, batch, warmUp)
    val fall = Cosine(iterations - warmUp)
    LARS(
      scaling.startRate,
      trust = 0.05,
      weightDecay = 0,
      common = Common(schedule = Some(scaling.schedule(fall)))
    )
  }

  private def learned(
      train: DataFrame,
      test: DataFrame,
      options: Options,
      batch: Int,
      optimizer: Optimizer
  ): Double = {
    val classifier = NNClassifier(LeNetFashionMnist.lenet5, CrossEntropy())
      .setFeaturesCol("image")
      .setLabelCol("label")
      .setOptimizer(optimizer)
      .setBatchSize(batch)
      .setMaxEpoch(options.epochs)
      .setSeed(options.seed)
    options.shards.foreach(classifier.setShards)
    LeNetFashionMnist.accuracy(classifier.fit(train).transform(test))
  }
}
