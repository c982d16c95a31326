package firesteel.train

import java.nio.file.Files

import scala.collection.mutable

import firesteel.nn._
import firesteel.optim.{Adam, Common, Optimizer, SGD, Trigger}

/** Trainings whose shards take steps by themselves between two averages of their weights. */
class LocalStepsSuite extends TrainingFixture {
  private val cluster = "local-cluster[2,1,1024]"

  /** With running statistics and random numbers. */
  private val normed = Sequential(Seq(4))
    .add(Dense(300, activation = "tanh"))
    .add(BatchNormalization())
    .add(Dropout(0.1))
    .add(Dense(3))

  /** An average of the weights is the only state between two iterations. */
  private val averaging =
    Adam(0.01, common = Common(clipNorm = Some(0.5), emaDecay = Some(0.5)))

  private def local(
      steps: Int,
      optimizer: Optimizer = averaging,
      compression: Option[String] = None
  ): TrainingSettings =
    settings(shards = 5, optimizer = optimizer)
      .copy(definition = normed.toJson, strategy = Strategy(compression, Some(steps)))

  private def hashes(result: TrainingResult): Seq[String] =
    result.epochs.map(_.weightsHash) ++ Seq(result.weightsHash, result.stateHash.get)

  test("any number of executors and cores, either exchange and any grouping give the same bits") {
    Seq(local(3), local(3, compression = Some("bf16"))).foreach { what =>
      val expected = withSpark("local[1]")(spark => hashes(train(spark, what)))
      def check(master: String, conf: (String, String)*): Unit = withSpark(master, conf: _*) {
        spark => assert(hashes(train(spark, what)) == expected, s"$master $conf ${what.strategy}")
      }
      check("local[2]", "spark.firesteel.exchange" -> "shuffle")
      check("local-cluster[3,1,1024]", "spark.firesteel.group" -> "6")
    }
  }

  test("a lost executor and a resumed checkpoint change nothing") {
    val what = local(2)
    val expected = withSpark("local[3]")(spark => hashes(train(spark, what)))
    Seq("1", "6").foreach { group =>
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        val probe = new DieOnce(Phase.ForwardBackward, 5)
        assert(hashes(train(spark, what, probe)) == expected, s"group $group")
      }
    }
    val folder = Files.createTempDirectory("firesteel").resolve("checkpoints").toString
    def part(epochs: Int, resume: Boolean) = what.copy(
      epochs = epochs,
      checkpoint = Some(CheckpointSettings(folder, Trigger.severalIteration(5), resume = resume))
    )
    withSpark("local[2]") { spark =>
      train(spark, part(2, resume = false))
      val other = part(3, resume = true)
      val more = other.copy(strategy = Strategy(localSteps = Some(3)))
      val e = intercept[CheckpointException](train(spark, more))
      assert(e.getMessage.contains("strategy/local_steps 3 instead of 2"))
      intercept[CheckpointException](train(spark, other.copy(strategy = Strategy())))
      assert(hashes(train(spark, other)) == expected)
    }
  }

  test("an iteration is so many batches, and the executors send as many times less") {
    def observed(what: TrainingSettings): (Int, Long) = {
      val (counts, sent) = (mutable.Buffer.empty[Int], mutable.Buffer.empty[Long])
      val observer = new Observer {
        override def iterated(iterations: IterationsDone): Unit = {
          counts += iterations.count
          sent ++= iterations.executors.map(_.sentBytes)
        }
      }
      withSpark(cluster, "spark.firesteel.group" -> "1") { spark =>
        new Trainer(spark, what).fit(encoded(rows(spark)), None, Seq(observer))
      }
      (counts.sum, sent.sum)
    }
    val sgd = SGD(0.1, momentum = 0.9)
    // 600 rows in batches of 50.
    val (steps, bytes) = observed(local(1, sgd).copy(strategy = Strategy()))
    val (averages, fewer) = observed(local(6, sgd))
    assert((steps, averages) == ((36, 6)))
    assert(fewer <= bytes / 6)
  }

  test("shards that take one step by themselves without momentum are in step") {
    val sgd = SGD(0.1)
    def losses(what: TrainingSettings) = withSpark("local[2]")(train(_, what).epochs.map(_.loss))
    val alone = losses(local(1, sgd))
    val together = losses(local(1, sgd).copy(strategy = Strategy()))
    assert(alone.zip(together).forall { case (a, b) => math.abs(a - b) < 1e-4 * b })
  }
}
