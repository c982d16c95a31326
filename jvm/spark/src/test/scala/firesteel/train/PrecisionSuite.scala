package firesteel.train

import scala.util.{Failure, Success, Try}

import firesteel.nn._

/** Trainings with products in bf16. */
class PrecisionSuite extends TrainingFixture {
  private val wide = Sequential(Seq(4))
    .add(Dense(300, activation = "tanh"))
    .add(BatchNormalization())
    .add(Dense(3))

  private def in(precision: String): TrainingSettings =
    settings(shards = 5)
      .copy(definition = wide.toJson, strategy = Strategy(precision = precision))

  test("any number of executors and cores give the same bits, or the machine says what it lacks") {
    Try(withSpark("local[1]")(train(_, in("bf16")))) match {
      case Failure(error) =>
        val messages = Iterator.iterate(error)(_.getCause).takeWhile(_ != null).map(_.getMessage)
        assert(messages.exists(_.contains("Use f32 on this machine")), error)
      case Success(one) =>
        def check(master: String): Unit = withSpark(master) { spark =>
          assert(train(spark, in("bf16")).weightsHash == one.weightsHash, master)
        }
        check("local[3]")
        check("local-cluster[2,1,1024]")
        val f32 = withSpark("local[2]")(train(_, in("f32")))
        assert(f32.weightsHash != one.weightsHash)
        val (loss, expected) = (one.epochs.last.loss, f32.epochs.last.loss)
        assert(math.abs(loss - expected) < 0.05, s"$loss $expected")
    }
  }
}
