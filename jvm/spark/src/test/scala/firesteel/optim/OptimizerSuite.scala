package firesteel.optim

import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.{NativeModel, NativeOptimizer}
import firesteel.nn.{Dense, Sequential}

class OptimizerSuite extends AnyFunSuite {

  /** What the engine makes of an optimizer. */
  private def engine[A](optimizer: Optimizer)(read: NativeOptimizer => A): A = {
    val model = NativeModel.define(Sequential(Seq(2), Dense(1)).toJson)
    try {
      val native = new NativeOptimizer(model, optimizer.toJson)
      try read(native)
      finally native.close()
    } finally model.close()
  }

  test("the engine accepts every optimizer with its defaults and with all arguments given") {
    assert(engine(SGD())(_.slots()) == 0)
    assert(engine(SGD(0.1, 0.9, nesterov = true, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 1)
    assert(engine(Adam())(_.slots()) == 2)
    assert(engine(Adam(0.01, 0.8, 0.99, 1e-7, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 2)
    assert(engine(AdamW())(_.slots()) == 2)
    assert(engine(AdamW(0.01, 0.8, 0.99, 1e-7, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 2)
    assert(engine(Adamax())(_.slots()) == 2)
    assert(engine(Adamax(0.01, 0.8, 0.99, 1e-7, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 2)
    assert(engine(Adagrad())(_.slots()) == 1)
    assert(engine(Adagrad(0.01, 0.1, 1e-7, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 1)
    assert(engine(Adadelta())(_.slots()) == 2)
    assert(engine(Adadelta(0.5, 0.95, 1e-7, 1e-4, 1e-3, Some(5.0)))(_.slots()) == 2)
    assert(engine(RMSprop())(_.slots()) == 1)
    val centered = RMSprop(0.1, 0.9, 0.5, 1e-7, centered = true, 1e-4, 1e-3, Some(5.0))
    assert(engine(centered)(_.slots()) == 3)
    assert(engine(Ftrl())(_.slots()) == 2)
    assert(engine(Ftrl(0.1, 0.2, 1.0, 0.01, 0.02, 0.03, 1e-3, Some(5.0)))(_.slots()) == 2)
  }

  test("every optimizer starts at its learning rate and follows a schedule") {
    val halved = Some(Step(10, 0.5))
    val optimizers = Seq(
      SGD(schedule = halved),
      Adam(schedule = halved),
      AdamW(schedule = halved),
      Adamax(schedule = halved),
      Adagrad(schedule = halved),
      Adadelta(schedule = halved),
      RMSprop(schedule = halved),
      Ftrl(schedule = halved)
    )
    for (optimizer <- optimizers) {
      val rates = engine(optimizer)(native => Seq(0L, 9L, 10L).map(native.learningRate))
      val start = optimizer.learningRate
      assert(rates == Seq(start, start, start / 2), optimizer)
    }
  }

  /** Learning rates that the engine makes of 1 and a schedule. */
  private def rates(schedule: Schedule, iterations: Long*): Seq[Double] =
    engine(SGD(1.0, schedule = Some(schedule)))(native => iterations.map(native.learningRate))

  test("the engine takes every schedule, and its rates are those of the formulas") {
    assert(rates(Default(0.5), 0, 2) == Seq(1.0, 0.5))
    assert(rates(Poly(2.0, 10), 0, 5, 10, 11) == Seq(1.0, 0.25, 0.0, 0.0))
    assert(rates(Step(10, 0.5), 9, 10, 20) == Seq(1.0, 0.5, 0.25))
    assert(rates(MultiStep(Seq(2L, 5L), 0.5), 1, 2, 4, 5) == Seq(1.0, 0.5, 0.5, 0.25))
    assert(rates(EpochStep(2, 0.5, 5), 9, 10, 20) == Seq(1.0, 0.5, 0.25))
    assert(rates(Exponential(2, 0.25), 0, 1, 2) == Seq(1.0, 0.5, 0.25))
    assert(rates(Exponential(2, 0.25, staircase = true), 1, 2) == Seq(1.0, 0.25))
    assert(math.abs(rates(NaturalExp(2, 0.5), 3).head - math.exp(-0.5)) < 1e-15)
    assert(rates(Warmup(0.5), 0, 3) == Seq(1.0, 2.5))
    assert(rates(Cosine(10, 0.5), 0, 10, 11) == Seq(1.0, 0.5, 0.5))
    assert(math.abs(rates(Cosine(10), 5).head - 0.5) < 1e-15)
    assert(rates(OneCycle(10, 0.3, 4.0, 8.0), 0, 2, 9) == Seq(0.25, 1.0, 0.25 / 8))
    val sequence = SequentialSchedule().add(Warmup(0.25), 4).add(Step(2, 0.5), 4).add(Default(), 1)
    assert(rates(sequence, 3, 4, 5, 6, 8, 99) == Seq(1.75, 2.0, 2.0, 1.0, 0.5, 0.5))
  }

  test("a setting of a schedule out of range is refused and named") {
    for (
      (schedule, setting) <- Seq(
        Poly(Double.NaN, 10) -> "NaN",
        Step(0, 0.5) -> "step_size",
        MultiStep(Seq(5L, 5L), 0.5) -> "step_sizes",
        SequentialSchedule() -> "stages"
      )
    ) {
      val error = intercept[IllegalArgumentException](rates(schedule, 0))
      assert(error.getMessage.contains(setting), error.getMessage)
    }
    val both = SGD(decay = 0.1, schedule = Some(Warmup(0.1)))
    val error = intercept[IllegalArgumentException](engine(both)(_.slots()))
    assert(error.getMessage.contains("SGD: decay is 0.1, expected 0 beside a schedule"))
  }

  test("the learning rate decays as documented") {
    val rates = engine(SGD(learningRate = 0.1, decay = 0.5)) { native =>
      Seq(0L, 1L, 2L).map(native.learningRate)
    }
    assert(rates == Seq(0.1, 0.1 / 1.5, 0.1 / 2.0))
  }

  test("a setting out of range is refused and named") {
    val error = intercept[IllegalArgumentException](engine(SGD(momentum = 1.5))(_.slots()))
    assert(error.getMessage.contains("momentum"))
  }
}
