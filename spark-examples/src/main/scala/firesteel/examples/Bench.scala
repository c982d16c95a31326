package firesteel.examples

import java.nio.file.{Files, Paths}

import scala.collection.mutable

import org.apache.spark.SPARK_VERSION
import org.apache.spark.firesteel.ui.TrainingIterated
import org.apache.spark.scheduler.{SparkListener, SparkListenerEvent}
import org.apache.spark.sql.SparkSession

import firesteel.ml.NNClassifier
import firesteel.nn._
import firesteel.optim.SGD
import firesteel.train.TimeSplit

/**
 * Times whole training iterations through Spark on synthetic data; prints one line of JSON with the
 * keys of `firesteel bench`.
 *
 * `noop` instead of a name times two Spark jobs that do nothing: what Spark itself takes for an
 * iteration of two jobs.
 *
 * Arguments: a name, the batch size, the number of iterations of an epoch, the number of epochs, and
 * a file with the model's definition; without a file the model has 100 weights, so that what is timed
 * is everything but the computing. The first half of the epochs warms the JVM up and does not count.
 * More of them, each after `--`, are timed one after the other.
 */
object Bench {

  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().appName("bench").getOrCreate()
    try args.mkString(" ").split(" -- ").foreach(run => println(timed(spark, run.split(" ").toSeq)))
    finally spark.stop()
  }

  private def timed(spark: SparkSession, arguments: Seq[String]): String = arguments match {
    case Seq("noop", _, iterations, epochs) => noop(spark, iterations.toInt, epochs.toInt)
    case Seq(name, batch, iterations, epochs, file @ _*) =>
      val model = file.headOption.fold[ModelDefinition](HundredWeights)(new DefinedModel(name, _))
      run(spark, name, model, batch.toInt, iterations.toInt, epochs.toInt)
    case other =>
      throw new IllegalArgumentException(
        s"expected NAME BATCH ITERATIONS EPOCHS [FILE], got ${other.mkString(" ")}."
      )
  }

  private def noop(spark: SparkSession, iterations: Int, epochs: Int): String = {
    val sc = spark.sparkContext
    val nothing = sc.parallelize(Seq.empty[Int], sc.defaultParallelism)
    val times = Seq.fill(epochs) {
      val each = Seq.fill(iterations) {
        val begin = System.nanoTime
        for (_ <- 1 to 2) sc.runJob(nothing, (_: Iterator[Int]) => ())
        (System.nanoTime - begin) / 1e6
      }
      each.sorted.apply(iterations / 2)
    }.drop(epochs / 2).sorted
    f"""{"framework": "spark", "version": "$SPARK_VERSION", "variant": "${sc.master}", """ +
      f""""case": "noop", "ms_min": ${times.head}%.3f, """ +
      f""""ms_median": ${times(times.length / 2)}%.3f, "ms_max": ${times.last}%.3f}"""
  }

  private def run(
      spark: SparkSession,
      name: String,
      model: ModelDefinition,
      batch: Int,
      iterations: Int,
      epochs: Int
  ): String = {
    import spark.implicits._
    val features = inputSize(model)
    val rows = spark.sparkContext
      .range(0, batch.toLong * iterations, numSlices = 1 + batch * iterations * features / 250000)
      .map { row =>
        val random = new scala.util.Random(row)
        (Array.fill(features)(random.nextFloat()), random.nextInt(10).toDouble)
      }
      .toDF("features", "label")
    val splits = new Splits
    spark.sparkContext.addSparkListener(splits)
    val trained = NNClassifier(model, CrossEntropy())
      .setOptimizer(SGD(learningRate = 1e-4, momentum = 0.9))
      .setBatchSize(batch)
      .setMaxEpoch(epochs)
      .fit(rows)
    spark.sparkContext.removeSparkListener(splits)
    val split = splits.perIteration(epochs / 2)
    val times = trained.summary.get.epochs.drop(epochs / 2).map(_.iterationMs).sorted
    val median = times(times.length / 2)
    val master = spark.sparkContext.master
    val threads = spark.sparkContext.defaultParallelism
    f"""{"framework": "firesteel", "version": "spark $SPARK_VERSION", "variant": "$master", """ +
      f""""case": "$name", "mode": "spark", "pass": "train", "threads": $threads, """ +
      f""""batch": $batch, "dtype": "f32", "items_per_s_median": ${batch / median * 1000}%.3f, """ +
      f""""ms_min": ${times.head}%.3f, "ms_median": $median%.3f, "ms_max": ${times.last}%.3f, """ +
      f""""ms_computing": ${split.computeMs}%.3f, "ms_straggling": ${split.stragglingMs}%.3f, """ +
      f""""ms_exchange": ${split.exchangeMs}%.3f, "ms_scheduling": ${split.schedulingMs}%.3f, """ +
      f""""iters": ${times.length * iterations}, "weights": "${trained.weightsHash}"}"""
  }

  private def inputSize(model: ModelDefinition): Int = {
    val shape = """"shape":\s*\[([0-9,\s]+)\]""".r.findFirstMatchIn(model.toJson).get.group(1)
    shape.split(",").map(_.trim.toInt).product
  }
}

/** Where the time of a training's iterations went. */
private final class Splits extends SparkListener {
  private val all = mutable.Buffer.empty[TrainingIterated]

  override def onOtherEvent(event: SparkListenerEvent): Unit = event match {
    case iterated: TrainingIterated => synchronized(all += iterated)
    case _ => ()
  }

  /** The mean of the iterations from an epoch on, of those that the listener has heard of. */
  def perIteration(epoch: Int): TimeSplit = synchronized {
    val counted = all.filter(_.epoch >= epoch)
    val n = math.max(1, counted.map(_.sums.iterations).sum)
    def mean(part: TimeSplit => Double) = counted.map(one => part(one.sums.split)).sum / n
    TimeSplit(mean(_.computeMs), mean(_.stragglingMs), mean(_.exchangeMs), mean(_.schedulingMs))
  }
}

/** A definition from a file. */
private final class DefinedModel(override val name: String, file: String) extends ModelDefinition {
  override val toJson: String = Files.readString(Paths.get(file))
}

/** Nine inputs, ten outputs: 90 weights and 10 biases. */
private object HundredWeights extends ModelDefinition {
  override val name: String = "empty"
  override def toJson: String = Sequential(inputShape = Seq(9), Dense(10)).toJson
}
