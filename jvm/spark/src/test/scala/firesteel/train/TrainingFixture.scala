package firesteel.train

import java.io.File
import java.nio.file.Files

import scala.collection.mutable

import org.apache.spark.scheduler.{SparkListener, SparkListenerJobStart}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._

import firesteel.SparkSuite
import firesteel.data.{ClassIndex, Content, Features, RowEncoder}
import firesteel.nn._
import firesteel.optim.{Adam, Optimizer}

/** A small classification task and ways to train it. */
abstract class TrainingFixture extends SparkSuite {

  /** Four numbers, three classes: 67 weights. */
  protected val network: Sequential = Sequential(Seq(4))
    .add(Dense(8, activation = "tanh"))
    .add(Dense(3))

  protected val columns: Seq[(String, Content)] =
    Seq("x" -> Features(Seq(4)), "label" -> ClassIndex(3))

  /** Rows whose class is the place of the largest of the first three numbers. */
  protected def rows(spark: SparkSession, count: Long = 600, partitions: Int = 3): DataFrame = {
    def number(seed: Int) = ((hash(col("id"), lit(seed)) % 1000) / 1000.0).cast("float")
    val x = array((0 until 4).map(number): _*)
    spark
      .range(0, count, 1, partitions)
      .select(x.as("x"))
      .withColumn(
        "label",
        (array_position(col("x"), greatest((0 until 3).map(col("x")(_)): _*)) - 1)
      )
  }

  protected def settings(
      epochs: Int = 3,
      shards: Int = 4,
      batchSize: Int = 50,
      optimizer: Optimizer = Adam(learningRate = 0.01)
  ): TrainingSettings =
    TrainingSettings(
      network.toJson,
      CrossEntropy().toJson,
      optimizer.toJson,
      batchSize,
      epochs,
      seed = 7,
      shards = Some(shards)
    )

  protected def encoded(rows: DataFrame): TrainingRows = {
    val encoder = RowEncoder(rows.schema, columns)
    TrainingRows(encoder.select(rows), encoder)
  }

  protected def train(
      spark: SparkSession,
      what: TrainingSettings = settings(),
      probe: Probe = NoProbe
  ): TrainingResult =
    new Trainer(spark, what, probe)
      .fit(encoded(rows(spark)), Some(encoded(rows(spark, count = 100))))
}

/** The names of the jobs of a session, in their order. */
final class JobNames(spark: SparkSession) {
  private val names = mutable.ArrayBuffer.empty[String]

  spark.sparkContext.addSparkListener(new SparkListener {
    override def onJobStart(job: SparkListenerJobStart): Unit = names.synchronized {
      names ++= Option(job.properties.getProperty("callSite.short"))
    }
  })

  /** Those that contain this, after the session has ended. */
  def containing(part: String): Seq[String] =
    names.synchronized(names.filter(_.contains(part)).toSeq)
}

/** Fails the task that ends a phase of one iteration first, after its work is done. */
final class FailOnce(phase: Phase, iteration: Long) extends Probe {
  private val mark = Mark()

  override def ended(which: Phase, when: Long, attempt: Int): Unit =
    if (which == phase && when == iteration && mark.isFirst) {
      throw new IllegalStateException(s"$phase of iteration $iteration fails on purpose")
    }
}

/** Something that happens once, in whichever process of this machine. */
final class Mark private (file: String) extends Serializable {
  def isFirst: Boolean = new File(file).createNewFile()
}

object Mark {
  def apply(): Mark = new Mark(Files.createTempDirectory("firesteel").resolve("mark").toString)
}
