package firesteel.examples

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import org.apache.spark.ml.Pipeline
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions.col

import firesteel.ml.NNClassifier
import firesteel.nn._
import firesteel.optim.{Adam, Trigger}
import firesteel.summary.{TrainSummary, ValidationSummary}

/**
 * LeNet-5 (LeCun et al., "Gradient-based learning applied to document recognition", 1998) learns
 * Fashion-MNIST as a stage of a Spark ML pipeline.
 *
 * `--data DIR` names the folder with the four idx files, or with `train` and `test` folders of
 * images, one folder per class; `--epochs`, `--batch`, `--shards`, `--rate` and `--seed` set the
 * training; `--output DIR` gets the model file and the predictions, `--logs DIR` curves for
 * TensorBoard.
 */
object LeNetFashionMnist {

  def main(args: Array[String]): Unit = {
    val options = Options.parse(args)
    val spark = SparkSession.builder().appName("LeNet-5 on Fashion-MNIST").getOrCreate()
    try run(spark, options)
    finally spark.stop()
  }

  /** LeNet-5 as BigDL has it: 22,278 weights. */
  def lenet5: Sequential = Sequential(inputShape = Seq(1, 28, 28))
    .add(Conv2D(6, (5, 5), activation = "tanh", name = "conv1"))
    .add(MaxPooling2D())
    .add(Activation("tanh"))
    .add(Conv2D(12, (5, 5), name = "conv2"))
    .add(MaxPooling2D())
    .add(Activation("tanh"))
    .add(Flatten())
    .add(Dense(100, activation = "tanh", name = "fc1"))
    .add(Dense(10, name = "fc2"))

  private def run(spark: SparkSession, options: Options): Unit = {
    val train = read(spark, options.data, "train").cache()
    val test = read(spark, options.data, "test").cache()
    println(f"${train.count()}%,d images to learn from, ${test.count()}%,d to test with")

    val classifier = NNClassifier(lenet5, CrossEntropy())
      .setFeaturesCol("image")
      .setLabelCol("label")
      .setOptimizer(Adam(learningRate = options.rate))
      .setBatchSize(options.batch)
      .setMaxEpoch(options.epochs)
      .setSeed(options.seed)
      .setValidation(test)
    options.shards.foreach(classifier.setShards)
    options.logs.foreach { folder =>
      classifier
        .setTrainSummary(
          new TrainSummary(folder, "lenet5")
            .setSummaryTrigger("Parameters", Trigger.everyEpoch)
        )
        .setValidationSummary(new ValidationSummary(folder, "lenet5"))
    }

    val model = new Pipeline().setStages(Array(classifier)).fit(train)
    val trained = model.stages.head.asInstanceOf[firesteel.ml.NNClassifierModel]
    val predictions = model.transform(test).cache()
    println(f"accuracy ${accuracy(predictions)}%.4f")
    println(s"weights ${trained.weightsHash}")

    Files.createDirectories(options.output)
    val file = options.output.resolve("lenet5.safetensors")
    Files.deleteIfExists(file)
    trained.saveModel(file.toString)
    val classes = predictions.orderBy("id").select(col("prediction").cast("int")).collect()
    Files.write(
      options.output.resolve("predictions.txt"),
      classes.map(_.get(0).toString).toSeq.asJava
    )
    println(s"model and predictions in ${options.output}")
  }

  /** The part of the images whose `prediction` is their `label`. */
  private[examples] def accuracy(predictions: DataFrame): Double =
    new MulticlassClassificationEvaluator()
      .setLabelCol("label")
      .setPredictionCol("prediction")
      .setMetricName("accuracy")
      .evaluate(predictions)

  /** The images of a part, `train` or `test`: columns `id`, `image` and `label`. */
  private[examples] def read(spark: SparkSession, folder: Path, part: String): DataFrame =
    if (Files.isDirectory(folder.resolve(part))) ImageFolder.read(spark, folder.resolve(part))
    else readIdx(spark, folder, if (part == "train") "train" else "t10k")

  private def readIdx(spark: SparkSession, folder: Path, prefix: String): DataFrame = {
    import spark.implicits._
    val images = IdxFile.images(folder.resolve(s"$prefix-images-idx3-ubyte.gz"))
    val labels = IdxFile.labels(folder.resolve(s"$prefix-labels-idx1-ubyte.gz"))
    val rows = images.indices.map(i => (i, images(i), labels(i).toDouble))
    // Small slices: each travels to its executor inside a task description.
    spark.sparkContext.parallelize(rows, 1 + rows.size / 300).toDF("id", "image", "label")
  }
}

/** The command line. */
private final case class Options(
    data: Path = Paths.get("spark-examples/data/fashion-mnist"),
    output: Path = Paths.get("target/lenet5"),
    epochs: Int = 5,
    batch: Int = 128,
    shards: Option[Int] = None,
    rate: Double = 0.002,
    seed: Long = 1,
    logs: Option[String] = None
)

private object Options {
  private val Usage =
    "--data DIR --output DIR --epochs N --batch N --shards N --rate R --seed N --logs DIR"

  /** What the arguments change in `defaults`. */
  def parse(args: Array[String], defaults: Options = Options()): Options =
    args.toSeq.sliding(2, 2).foldLeft(defaults) {
      case (options, Seq("--data", value)) => options.copy(data = Paths.get(value))
      case (options, Seq("--output", value)) => options.copy(output = Paths.get(value))
      case (options, Seq("--epochs", value)) => options.copy(epochs = value.toInt)
      case (options, Seq("--batch", value)) => options.copy(batch = value.toInt)
      case (options, Seq("--shards", value)) => options.copy(shards = Some(value.toInt))
      case (options, Seq("--rate", value)) => options.copy(rate = value.toDouble)
      case (options, Seq("--seed", value)) => options.copy(seed = value.toLong)
      case (options, Seq("--logs", value)) => options.copy(logs = Some(value))
      case (_, other) =>
        throw new IllegalArgumentException(
          s"expected $Usage, got ${other.mkString(" ")}. Correct the command line."
        )
    }
}
