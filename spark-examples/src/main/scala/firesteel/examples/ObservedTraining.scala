package firesteel.examples

import java.nio.file.{Path, Paths}

import scala.io.Source
import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.apache.spark.{SparkContext, SparkEnv}
import org.apache.spark.sql.{DataFrame, SparkSession}

import firesteel.jni.NativeBuffer
import firesteel.ml.NNClassifier
import firesteel.nn.CrossEntropy
import firesteel.optim.{Adam, SeveralIteration}

/**
 * Learns Fashion-MNIST with dropout and Adam and tells on standard output what happens, one line of
 * JSON per event, while somebody disturbs it: the tests of `tests/cluster` do.
 *
 * Commands on standard input: `executors N` wishes for N executors (those too many are killed),
 * `cancel` cancels the job group of the training.
 */
object ObservedTraining {
  private val Group = "training"

  def main(args: Array[String]): Unit = {
    val options = ObservedOptions.parse(args)
    val spark = SparkSession.builder().appName("observed training").getOrCreate()
    try run(spark, options, new TrainingEvents(spark.sparkContext, System.out))
    finally spark.stop()
  }

  private def run(spark: SparkSession, options: ObservedOptions, events: TrainingEvents): Unit = {
    val sc = spark.sparkContext
    events.tell("started", "application" -> sc.applicationId, "master" -> sc.master)
    obey(sc, events)
    sc.setJobGroup(Group, "a training that is observed")
    try learn(spark, options, events)
    catch {
      case NonFatal(e) =>
        events.tell("failed", "class" -> e.getClass.getName, "message" -> e.getMessage)
    }
    sc.clearJobGroup()
    tellWhatIsLeft(sc, events)
  }

  private def learn(spark: SparkSession, options: ObservedOptions, events: TrainingEvents): Unit = {
    val rows = dataset(spark, options.data, "train", options.records)
    val classifier = NNClassifier(options.network, CrossEntropy())
      .setFeaturesCol("image")
      .setLabelCol("label")
      .setOptimizer(Adam(learningRate = 0.002))
      .setBatchSize(options.batch)
      .setMaxEpoch(options.epochs)
      .setSeed(options.seed)
      .setShards(options.shards)
      .setGradientCompression(options.compression)
    options.localSteps.foreach(classifier.setLocalSteps(_))
    if (options.test > 0) {
      classifier.setValidation(dataset(spark, options.data, "t10k", options.test))
    }
    options.checkpoint.foreach { folder =>
      classifier.setCheckpoint(folder, SeveralIteration(options.every)).setResume(true)
    }
    val trained = classifier.fit(rows)
    trained.summary.get.epochs.foreach { epoch =>
      events.tell(
        "epoch",
        "epoch" -> epoch.epoch,
        "weights" -> epoch.weightsHash,
        "seconds" -> epoch.seconds,
        "iteration_ms" -> epoch.iterationMs,
        "accuracy" -> epoch.validation.fold(0.0)(_.accuracy)
      )
    }
    val state = trained.summary.get.stateHash
    events.tell("ended", "weights" -> trained.weightsHash, "state" -> state.orNull)
  }

  /** The images; every executor reads the files itself. */
  private def dataset(
      spark: SparkSession,
      data: Path,
      part: String,
      records: Int
  ): DataFrame = {
    import spark.implicits._
    val (folder, parts) = (data.toString, 4)
    spark.sparkContext
      .parallelize(0 until parts, parts)
      .flatMap { first =>
        val images = IdxFile.images(Paths.get(folder, s"$part-images-idx3-ubyte.gz"))
        val labels = IdxFile.labels(Paths.get(folder, s"$part-labels-idx1-ubyte.gz"))
        (first until math.min(records, images.length) by parts).map(i => (images(i), labels(i)))
      }
      .toDF("image", "label")
  }

  private def isOfTraining(className: String): Boolean =
    Seq("firesteel.train.", "firesteel.jni.").exists(className.startsWith(_))

  /** Native memory of each executor, and its threads that still work on a training. */
  private def tellWhatIsLeft(sc: SparkContext, events: TrainingEvents): Unit = {
    val places = 16
    sc.parallelize(1 to places, places)
      .map { _ =>
        Thread.sleep(50)
        val threads = Thread.getAllStackTraces.asScala.collect {
          case (thread, frames) if frames.exists(frame => isOfTraining(frame.getClassName)) =>
            thread.getName
        }
        (SparkEnv.get.executorId, (NativeBuffer.allocated(), threads.toSeq))
      }
      .collect()
      .toMap
      .foreach { case (id, (bytes, threads)) =>
        events.tell("left", "executor" -> id, "bytes" -> bytes, "threads" -> threads.asJava)
      }
  }

  private def obey(sc: SparkContext, events: TrainingEvents): Unit = {
    val thread = new Thread(
      () =>
        Source.stdin.getLines().map(_.split(" ").toSeq).foreach {
          case Seq("cancel") => sc.cancelJobGroup(Group)
          case Seq("executors", count) => wish(sc, events, count.toInt)
          case other => System.err.println(s"""expected a command, got "${other.mkString(" ")}"""")
        },
      "commands"
    )
    thread.setDaemon(true)
    thread.start()
  }

  private def wish(sc: SparkContext, events: TrainingEvents, count: Int): Unit = {
    val surplus = events.executors.drop(count)
    if (surplus.nonEmpty) sc.killExecutors(surplus)
    sc.requestTotalExecutors(count, 0, Map.empty)
    ()
  }
}
