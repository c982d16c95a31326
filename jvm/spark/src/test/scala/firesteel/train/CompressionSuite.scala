package firesteel.train

import java.nio.file.Files

import scala.collection.mutable

import org.apache.spark.sql.SparkSession

import firesteel.nn._
import firesteel.optim.{Adam, Common, Optimizer, SGD, Trigger}

/** Trainings whose gradients travel as floats of 16 bits. */
class CompressionSuite extends TrainingFixture {
  private val cluster = "local-cluster[2,1,1024]"
  private val bf16 = Strategy(gradientCompression = Some("bf16"))

  /** With running statistics, which are not rounded. */
  private val normed = Sequential(Seq(4))
    .add(Dense(300, activation = "tanh"))
    .add(BatchNormalization())
    .add(Dense(3))

  private def compressed(
      shards: Int = 5,
      optimizer: Optimizer = Adam(learningRate = 0.01),
      network: Sequential = normed
  ): TrainingSettings =
    settings(shards = shards, optimizer = optimizer)
      .copy(definition = network.toJson, strategy = bf16)

  private def hashes(result: TrainingResult): Seq[String] =
    result.epochs.map(_.weightsHash) :+ result.stateHash.get

  /** Bytes that executors sent in the iterations of a training. */
  private def sentBytes(spark: SparkSession, what: TrainingSettings): Long = {
    val sent = mutable.Buffer.empty[Long]
    val observer = new Observer {
      override def iterated(iterations: IterationsDone): Unit =
        sent ++= iterations.executors.map(_.sentBytes)
    }
    new Trainer(spark, what).fit(encoded(rows(spark)), None, Seq(observer))
    sent.sum
  }

  test("any number of executors and cores, either exchange and any grouping give the same bits") {
    val clipped = compressed(optimizer = Adam(0.01, common = Common(clipNorm = Some(0.05))))
    val expected = withSpark("local[1]")(spark => hashes(train(spark, clipped)))
    def check(master: String, conf: (String, String)*): Unit =
      withSpark(master, conf: _*) { spark =>
        assert(hashes(train(spark, clipped)) == expected, s"$master $conf")
      }
    check("local[3]")
    check("local[2]", "spark.firesteel.exchange" -> "shuffle")
    check(cluster, "spark.firesteel.group" -> "1")
    check("local-cluster[3,1,1024]", "spark.firesteel.group" -> "6")
    val plain = clipped.copy(strategy = Strategy())
    assert(withSpark("local[2]")(spark => hashes(train(spark, plain))) != expected)
  }

  test("a lost executor and a resumed checkpoint change nothing") {
    val what = compressed()
    val expected = withSpark("local[2]")(train(_, what).weightsHash)
    Seq("1", "6").foreach { group =>
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        val probe = new DieOnce(Phase.ParameterSync, 5)
        assert(train(spark, what, probe).weightsHash == expected, s"group $group")
      }
    }
    val folder = Files.createTempDirectory("firesteel").resolve("checkpoints").toString
    def part(epochs: Int, resume: Boolean) = what.copy(
      epochs = epochs,
      checkpoint = Some(CheckpointSettings(folder, Trigger.everyEpoch, resume = resume))
    )
    withSpark("local[2]") { spark =>
      train(spark, part(1, resume = false))
      val other = part(3, resume = true)
      val e = intercept[CheckpointException](train(spark, other.copy(strategy = Strategy())))
      assert(e.getMessage.contains("strategy/gradient_compression null instead of \"bf16\""))
      assert(train(spark, other).weightsHash == expected)
    }
  }

  test("gradients of 16 bits are half as many bytes") {
    val wide = Sequential(Seq(4), Dense(2000, activation = "tanh"), Dense(3))
    val floats = 5 * 2000 + 2001 * 3
    val what = compressed(shards = 4, optimizer = SGD(0.1), network = wide)
    def bytes(conf: (String, String)*)(what: TrainingSettings): Long =
      withSpark(cluster, conf: _*)(sentBytes(_, what))
    // Each member sends half of the gradient and its half of the new weights. What is sent after the
    // last job's first phase is not seen: at most the weights of an iteration.
    val iterations = 36
    val slices = bytes("spark.firesteel.group" -> "1")(_)
    val (half, whole) = (slices(what), slices(what.copy(strategy = Strategy())))
    assert(whole - half == iterations * 2L * floats)
    assert(whole - iterations * 8L * floats <= 0 && whole > (iterations - 1) * 8L * floats)
    val shuffle = bytes("spark.firesteel.exchange" -> "shuffle")(_)
    assert(shuffle(what) == iterations * 4 * 2L * floats)
    assert(shuffle(what.copy(strategy = Strategy())) == iterations * 4 * 4L * floats)
  }
}
