package firesteel.train

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._

import firesteel.data.{ClassIndex, Features, RowEncoder, Target}
import firesteel.jni.{NativeBuffer, NativeModel}
import firesteel.nn._
import firesteel.optim.SGD

/** A training as Spark jobs and the same training in one thread: the same bits. */
class SerialOracleSuite extends TrainingFixture {
  private val withDropout = Sequential(Seq(4))
    .add(Dense(8, activation = "tanh"))
    .add(Dropout(0.3))
    .add(Dense(3))

  private def learning(shards: Int, batchSize: Int): TrainingSettings =
    settings(epochs = 2, shards = shards, batchSize = batchSize)
      .copy(definition = withDropout.toJson)

  /** Rows 0, 1, 2, … in partitions of these sizes. */
  private def parts(spark: SparkSession, sizes: Int*): DataFrame = {
    val ends = sizes.scanLeft(0)(_ + _)
    val ids = sizes.zip(ends).map { case (size, begin) =>
      spark.range(begin.toLong, (begin + size).toLong, 1, 1).toDF("id")
    }
    ids.reduce(_ union _)
  }

  private def classified(ids: DataFrame): TrainingRows = {
    def number(seed: Int) = ((hash(col("id"), lit(seed)) % 1000) / 1000.0).cast("float")
    val rows = ids.select(
      array((0 until 4).map(number): _*).as("x"),
      pmod(hash(col("id")), lit(3)).as("label")
    )
    val encoder = RowEncoder(rows.schema, Seq("x" -> Features(Seq(4)), "label" -> ClassIndex(3)))
    TrainingRows(encoder.select(rows), encoder)
  }

  private def assertEqualsOracle(
      spark: SparkSession,
      rows: TrainingRows,
      what: TrainingSettings
  ): Unit = {
    val expected = SerialOracle.train(rows, what)
    val result = new Trainer(spark, what).fit(rows, None)
    assert(result.epochs.map(_.weightsHash) == expected.map(_.weightsHash))
    assert(expected.map(_.weightsHash).distinct.length == expected.length)
  }

  test("batch 1,000 on 7 shards, uneven partitions, an empty one, the last batch short") {
    Seq("auto", "1").foreach { group =>
      withSpark("local[2]", "spark.firesteel.group" -> group) { spark =>
        val rows = classified(parts(spark, 1700, 0, 3, 640, 1))
        assertEqualsOracle(spark, rows, learning(shards = 7, batchSize = 1000))
      }
    }
  }

  test("a batch larger than the data") {
    withSpark("local[2]") { spark =>
      assertEqualsOracle(
        spark,
        classified(parts(spark, 30, 7)),
        learning(shards = 5, batchSize = 100)
      )
    }
  }

  test("more shards than rows, so that some shards are empty") {
    withSpark("local[2]") { spark =>
      assertEqualsOracle(
        spark,
        classified(parts(spark, 5, 4)),
        learning(shards = 13, batchSize = 2)
      )
    }
  }

  test("several executors, grouped and one iteration at a time") {
    Seq("auto", "1").foreach { group =>
      withSpark("local-cluster[3,1,1024]", "spark.firesteel.group" -> group) { spark =>
        val rows = classified(parts(spark, 900, 0, 45, 400))
        assertEqualsOracle(spark, rows, learning(shards = 7, batchSize = 100))
      }
    }
  }

  test("every sample is learned from exactly once per epoch, whatever batch and shards") {
    withSpark("local[2]") { spark =>
      for ((shards, batchSize) <- Seq((7, 100), (3, 50), (1, 64), (300, 1000))) {
        val once = timesLearned(spark, shards, batchSize, epochs = 1)
        val twice = timesLearned(spark, shards, batchSize, epochs = 2)
        assert(once.forall(times => math.abs(times - 1) < 0.3), s"$shards shards, $batchSize")
        assert(twice.forall(times => math.abs(times - 2) < 0.6), s"$shards shards, $batchSize")
      }
    }
  }

  /**
   * How often each of 257 rows was learned from, by its content: row i is the i-th unit vector, so
   * only it moves weight i, from `w` to `w · (1 - 2 · rate / rows of the batch)`, hence
   * `log w / log(1 - 2 · rate / rows)` times; not quite a whole number, since batches differ by some
   * rows.
   */
  private def timesLearned(
      spark: SparkSession,
      shards: Int,
      batchSize: Int,
      epochs: Int
  ): Seq[Double] = {
    val count = 257
    val iterations = (count + batchSize - 1) / batchSize
    val rate = 0.05 * count / iterations
    val single = Dense(1, useBias = false, kernelInitializer = Initializer.Ones)
    val what = settings(epochs, shards, batchSize, SGD(learningRate = rate))
      .copy(definition = Sequential(Seq(count), single).toJson, loss = MeanSquaredError().toJson)
    val units = parts(spark, 200, 0, 57).select(
      transform(sequence(lit(0), lit(count - 1)), i => (i === col("id")).cast("float")).as("x"),
      lit(0.0f).as("y")
    )
    val encoder =
      RowEncoder(units.schema, Seq("x" -> Features(Seq(count)), "y" -> Target(Seq(1))))
    val trained =
      new Trainer(spark, what).fit(TrainingRows(encoder.select(units), encoder), None)
    weights(trained, count).map(w => math.log(w) / math.log(1 - 0.1))
  }

  private def weights(trained: TrainingResult, count: Int): Seq[Double] = {
    val native = new Closing
    try {
      val model = native.add(NativeModel.open(trained.modelFile.path.toString))
      val buffer = native.add(new NativeBuffer(count * 4L))
      model.storedWeights(buffer)
      val floats = buffer.slice(0, count * 4).asFloatBuffer()
      Seq.fill(count)(floats.get().toDouble)
    } finally native.close()
  }
}
