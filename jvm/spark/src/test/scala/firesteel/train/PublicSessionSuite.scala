package firesteel.train

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.SparkSession

import firesteel.data.DataException
import firesteel.jni.NativeBuffer
import firesteel.nn._
import firesteel.optim.{Adam, Common, SGD, Trigger}

/** Trainings by Spark's shuffle and broadcast. */
class PublicSessionSuite extends TrainingFixture {
  private val cluster = "local-cluster[2,1,1024]"
  private val shuffle = "spark.firesteel.exchange" -> "shuffle"

  /** Three slices of weights. */
  private val wide = Sequential(Seq(4), Dense(900, activation = "tanh"), Dense(900), Dense(3))

  private def hashes(result: TrainingResult): Seq[String] = result.epochs.map(_.weightsHash)

  private def allocated(spark: SparkSession): Set[Long] =
    spark.sparkContext.parallelize(1 to 8, 8).map(_ => NativeBuffer.allocated()).collect().toSet

  test("shuffle and broadcast give the weights, losses and measurements of slices, in one JVM") {
    val expected = withSpark("local[2]")(train(_))
    withSpark("local[2]", shuffle) { spark =>
      val jobs = new JobNames(spark)
      val before = NativeBuffer.allocated()
      val result = train(spark)
      assert(hashes(result) == hashes(expected))
      assert(result.epochs.map(_.loss) == expected.epochs.map(_.loss))
      assert(result.epochs.map(_.validation) == expected.epochs.map(_.validation))
      assert(result.weightsHash == expected.weightsHash)
      assert(NativeBuffer.allocated() == before)
      spark.stop()
      assert(jobs.containing("iteration") == (0 until 36).map(n => s"iteration $n"))
      assert(jobs.containing("joining").isEmpty)
    }
  }

  test("two executors give the weights of one and keep no native memory") {
    val expected = withSpark("local[2]")(spark => hashes(train(spark)))
    withSpark(cluster, shuffle) { spark =>
      assert(hashes(train(spark)) == expected)
      assert(allocated(spark) == Set(0L))
      intercept[DivergedException](train(spark, settings(optimizer = SGD(3e38), epochs = 5)))
      assert(allocated(spark) == Set(0L))
    }
  }

  test("a model of several slices, and optimizers that need sums, give the same weights") {
    val large = settings(epochs = 1, shards = 5).copy(definition = wide.toJson)
    val clipped = settings(optimizer = Adam(0.01, common = Common(clipNorm = Some(0.05))))
    Seq(large, clipped, large.copy(optimizer = clipped.optimizer)).foreach { what =>
      val expected = withSpark("local[2]")(spark => hashes(train(spark, what)))
      assert(withSpark("local[2]", shuffle)(spark => hashes(train(spark, what))) == expected)
    }
  }

  test("a task that fails after its work is done changes nothing") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
      withSpark("local[2, 3]", shuffle) { spark =>
        assert(train(spark, probe = new FailOnce(phase, 5)).weightsHash == expected)
      }
    }
  }

  test("a lost executor changes nothing, whenever it is lost") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
      withSpark(cluster, shuffle) { spark =>
        assert(train(spark, probe = new DieOnce(phase, 5)).weightsHash == expected)
        assert(allocated(spark) == Set(0L))
      }
    }
  }

  test("a checkpoint of either exchange is gone on with by the other") {
    def checkpointed(epochs: Int, resume: Boolean, folder: Path) = settings(epochs).copy(
      checkpoint = Some(CheckpointSettings(folder.toString, Trigger.everyEpoch, resume = resume))
    )
    val expected = withSpark("local[2]")(train(_, settings(epochs = 4)).weightsHash)
    val slices = "spark.firesteel.exchange" -> "slices"
    Seq((shuffle, slices), (slices, shuffle), (shuffle, shuffle)).foreach { case (first, second) =>
      val folder = Files.createTempDirectory("firesteel").resolve("checkpoints")
      withSpark("local[2]", first)(train(_, checkpointed(2, resume = false, folder)))
      withSpark("local[2]", second) { spark =>
        assert(train(spark, checkpointed(4, resume = true, folder)).weightsHash == expected)
      }
    }
  }

  test("a trigger that needs the loss ends the training at the same iteration") {
    val until = settings(epochs = 20).copy(endWhen = Some(Trigger.minLoss(0.8)))
    val expected = withSpark("local[2]")(spark => train(spark, until).weightsHash)
    assert(withSpark("local[2]", shuffle)(spark => train(spark, until).weightsHash) == expected)
  }

  test("a bad row deep in the data is an exception with its column") {
    withSpark("local[2]", shuffle) { spark =>
      val bad = rows(spark).selectExpr("x", "case when label = 2 then 3 else label end as label")
      val e = intercept[DataException](new Trainer(spark, settings()).fit(encoded(bad), None))
      assert(e.getMessage.contains("expected a class index 0 to 2, got 3.0"))
    }
  }

  test("the files of an iteration's shuffle are removed with it") {
    val folder = Files.createTempDirectory("firesteel")
    withSpark("local[2]", shuffle, "spark.local.dir" -> folder.toString) { spark =>
      train(spark)
      val files = Files.walk(folder)
      val left =
        try files.iterator.asScala.count(_.getFileName.toString.startsWith("shuffle_"))
        finally files.close()
      // Those of two datasets' rows, and what is about to be removed.
      assert(left < 20)
    }
  }

  test("an executor that nobody uses frees a training by itself") {
    val spec = specOf(settings())
    val hosts = new ShardHosts(idleMs = 100)
    val before = NativeBuffer.allocated()
    hosts.using(spec) { host =>
      bytes(host)
      Thread.sleep(300)
      assert(NativeBuffer.allocated() > before)
    }
    val deadline = System.nanoTime + 10000000000L
    while (NativeBuffer.allocated() > before && System.nanoTime < deadline) Thread.sleep(20)
    assert(NativeBuffer.allocated() == before)
    assert(hosts.using(spec)(bytes) == 67 * 4)
    hosts.release(spec.id)
    assert(NativeBuffer.allocated() == before)
    intercept[IllegalStateException](hosts.using(spec)(bytes))
  }

  test("an executor where every task failed keeps nothing of a training") {
    val spec = specOf(settings())
    val hosts = new ShardHosts(idleMs = 600000)
    val before = NativeBuffer.allocated()
    intercept[DataException](hosts.using(spec) { host =>
      assert(bytes(host) == 67 * 4)
      throw new DataException("a shard that cannot be fetched")
    })
    assert(NativeBuffer.allocated() == before)
  }

  test("where Spark's private classes are hidden, a training goes on without them") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    val (code, output) = HiddenSpark.train()
    assert(code == 0, output)
    assert(output.contains(s"weights $expected"), output)
    assert(
      output.linesIterator.count(_.contains("spark.firesteel.exchange = shuffle")) == 1,
      output
    )
    assert(
      output.contains("private classes (NoClassDefFoundError: org.apache.spark.firesteel."),
      output
    )
  }

  private def bytes(host: ShardHost): Long = {
    val sent = new NativeBuffer(67 * 4)
    try host.weights(0, Pieces.of(sent, 0, sent.bytes)).bytes
    finally sent.close()
  }

  private def specOf(what: TrainingSettings): TrainingSpec = TrainingSpec(
    java.util.UUID.randomUUID(),
    java.util.UUID.randomUUID(),
    what.definition,
    what.loss,
    what.optimizer,
    shards = 4,
    what.seed,
    what.batchSize,
    0,
    Strategy(),
    NoProbe
  )
}
