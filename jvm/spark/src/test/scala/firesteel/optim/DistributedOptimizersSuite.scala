package firesteel.optim

import org.apache.spark.sql.SparkSession

import firesteel.nn.{Dense, Sequential}
import firesteel.train.{Trainer, TrainingFixture}

/** Optimizers that need sums over the weights of all executors. */
class DistributedOptimizersSuite extends TrainingFixture {

  /** 4,803 weights: more than one cell of the grid over which sums are taken. */
  private val wide = Sequential(Seq(4))
    .add(Dense(600, activation = "tanh", name = "wide"))
    .add(Dense(3, name = "last"))

  private val optimizers: Seq[Optimizer] = Seq(
    Adam(0.01, common = Common(clipNorm = Some(0.1), emaDecay = Some(0.9))),
    LARS(learningRate = 10.0),
    LAMB(learningRate = 0.01),
    LBFGS(learningRate = 0.1, historySize = 3),
    PerLayer(SGD(0.1, momentum = 0.9), common = Common(clipNorm = Some(0.5)))
      .freeze("wide.bias")
      .slow("wide", 0.5)
      .use("last", Adam(0.01))
  )

  private def hashes(spark: SparkSession): Seq[String] = optimizers.map { optimizer =>
    val settings = this.settings(epochs = 2, optimizer = optimizer).copy(definition = wide.toJson)
    new Trainer(spark, settings).fit(encoded(rows(spark)), None).weightsHash
  }

  test("any cores and executors, and groups of iterations, give the same weights") {
    val expected = withSpark("local[1]")(hashes)
    assert(expected.distinct.length == optimizers.length)
    assert(withSpark("local[2]", "spark.firesteel.group" -> "1")(hashes) == expected)
    assert(withSpark("local-cluster[2,1,1024]")(hashes) == expected)
  }
}
