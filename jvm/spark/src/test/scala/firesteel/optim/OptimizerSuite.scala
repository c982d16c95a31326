package firesteel.optim

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.{NativeModel, NativeOptimizer}
import firesteel.nn.{Dense, Sequential}

class OptimizerSuite extends AnyFunSuite {

  /** What the engine makes of the JSON of an optimizer, for a model with a layer `dense`. */
  private def engineOf[A](json: String)(read: NativeOptimizer => A): A = {
    val model = NativeModel.define(Sequential(Seq(2), Dense(1, name = "dense")).toJson)
    try {
      val native = new NativeOptimizer(model, json)
      try read(native)
      finally native.close()
    } finally model.close()
  }

  /** What the engine makes of an optimizer. */
  private def engine[A](optimizer: Optimizer)(read: NativeOptimizer => A): A =
    engineOf(optimizer.toJson)(read)

  private val clipped = Common(1e-3, Some(5.0), Some(2.0), Some(0.5))
  private val bounded = Common(1e-3, Some(5.0), None, Some(0.5))

  /** Each optimizer with its defaults, and with all arguments given; the slots of both. */
  private val optimizers: Seq[(Optimizer, Int, Optimizer, Int)] = Seq(
    (SGD(), 0, SGD(0.1, 0.9, 0.1, nesterov = false, 1e-4, clipped), 2),
    (Adam(), 2, Adam(0.01, 0.8, 0.99, 1e-7, 1e-4, clipped), 3),
    (AdamW(), 2, AdamW(0.01, 0.8, 0.99, 1e-7, 1e-4, clipped), 3),
    (Adamax(), 2, Adamax(0.01, 0.8, 0.99, 1e-7, 1e-4, clipped), 3),
    (Adagrad(), 1, Adagrad(0.01, 0.1, 1e-7, 1e-4, clipped), 2),
    (Adadelta(), 2, Adadelta(0.5, 0.95, 1e-7, 1e-4, clipped), 3),
    (RMSprop(), 1, RMSprop(0.1, 0.9, 0.5, 1e-7, centered = true, 1e-4, clipped), 4),
    (Ftrl(), 2, Ftrl(0.1, 0.2, 1.0, 0.01, 0.02, 0.03, clipped), 3),
    (LARS(), 1, LARS(1.0, 0.01, 0.5, 1e-4, adaptVectors = true, clipped), 2),
    (LAMB(), 2, LAMB(0.01, 0.8, 0.99, 1e-7, 1e-4, adaptVectors = true, bounded), 3),
    (LBFGS(), 21, LBFGS(0.5, 3, bounded), 8),
    (
      PerLayer(SGD()),
      0,
      PerLayer(SGD(), common = clipped.copy(decay = 0.0, clipValue = None))
        .use("dense", Adam())
        .slow("dense.b*", 0.5)
        .freeze("dense.bias"),
      3
    )
  )

  /** Each schedule with all arguments given. */
  private val schedules: Seq[Schedule] = Seq(
    Default(0.5),
    Poly(2.0, 10),
    Step(10, 0.5),
    MultiStep(Seq(2L, 5L), 0.5),
    EpochStep(2, 0.5, 5),
    Exponential(2, 0.25, staircase = true),
    NaturalExp(2, 0.5),
    Warmup(0.5),
    SequentialSchedule().add(Warmup(0.25), 4).add(Default(), 1),
    Cosine(10, 0.5),
    OneCycle(10, 0.3, 4.0, 8.0),
    EpochDecay(Seq(0.0, 1.5), 5),
    EpochDecayWithWarmUp(3, 0.1, Seq(0.0, 1.0), 5),
    EpochSchedule(Seq(Regime(0, 2, 0.5), Regime(4, 9, 0.25)), 5),
    PolyEpochDecay(2.0, 4, 5),
    Fixed(),
    Plateau("score", 0.5, 3, "max", 1e-3, 2, 1e-5)
  )

  test("the engine accepts every optimizer with its defaults and with all arguments given") {
    for ((plain, slots, full, more) <- optimizers) {
      assert(engine(plain)(_.slots()) == slots, plain)
      assert(engine(full)(_.slots()) == more, full)
    }
  }

  test("an optimizer can be had by its name") {
    for ((plain, _, _, _) <- optimizers if !plain.isInstanceOf[PerLayer])
      assert(Optimizer(plain.productPrefix) == plain)
    assert(Optimizer("rmsprop") == RMSprop())
    val error = intercept[IllegalArgumentException](Optimizer("magic"))
    assert(error.getMessage.contains("adadelta, adagrad"), error.getMessage)
  }

  /** What the engine says of this. */
  private def refusal(json: String): String =
    intercept[IllegalArgumentException](engineOf(json)(_.slots())).getMessage

  /** The names between backticks after `expected`. */
  private def names(message: String): Set[String] =
    "`([^`]+)`".r.findAllMatchIn(message.drop(message.indexOf("expected"))).map(_.group(1)).toSet

  private val json = new ObjectMapper

  private def config(definition: String): JsonNode = json.readTree(definition).path("config")

  test("every optimizer of the engine is here, with the same settings and defaults") {
    val all = names(refusal("""{"class": "?"}""")).filter(_.head.isUpper)
    assert(all == optimizers.map(_._1.productPrefix).toSet)
    for ((plain, _, full, _) <- optimizers) {
      val ours = json.readTree(plain.toJson)
      val theirs = json.readTree(engine(plain)(_.definition()))
      assert(
        ours.path("config").fieldNames.asScala.toSet ==
          theirs.path("config").fieldNames.asScala.toSet,
        plain
      )
      if (!plain.isInstanceOf[PerLayer]) {
        val defaults = engineOf(s"""{"class": "${plain.productPrefix}"}""")(_.definition())
        assert(json.readTree(defaults) == theirs, plain)
      }
      val (given, used) = (config(full.toJson), config(engine(full)(_.definition())))
      for (setting <- given.fieldNames.asScala if given.path(setting).isNumber)
        assert(given.path(setting).asDouble == used.path(setting).asDouble, s"$full: $setting")
    }
  }

  test("every schedule of the engine is here, with the same settings") {
    val unknown = """{"class": "SGD", "config": {"schedule": {"class": "?", "config": {}}}}"""
    assert(names(refusal(unknown)) == schedules.map(_.productPrefix).toSet)
    for (schedule <- schedules) {
      val theirs = engine(SGD(common = Common(schedule = Some(schedule))))(_.definition())
      assert(config(theirs).path("schedule") == json.readTree(schedule.toJson), schedule)
    }
  }

  test("every optimizer starts at its learning rate and follows a schedule") {
    val common = Common(schedule = Some(Step(10, 0.5)))
    val optimizers = Seq(
      SGD(common = common),
      Adam(common = common),
      AdamW(common = common),
      Adamax(common = common),
      Adagrad(common = common),
      Adadelta(common = common),
      RMSprop(common = common),
      Ftrl(common = common),
      LARS(common = common),
      LAMB(common = common),
      LBFGS(common = common),
      PerLayer(SGD(common = common))
    )
    for (optimizer <- optimizers) {
      val rates = engine(optimizer)(native => Seq(0L, 9L, 10L).map(native.learningRate))
      val start = optimizer.learningRate
      assert(rates == Seq(start, start, start / 2), optimizer)
    }
  }

  test("the average of the weights and the need for sums are the engine's") {
    assert(engine(Adam())(native => (native.averageSlot(), native.needsSums())) == (-1, false))
    val averaged = Adam(common = Common(emaDecay = Some(0.999)))
    assert(engine(averaged)(native => (native.averageSlot(), native.needsSums())) == (2, false))
    for (optimizer <- Seq(LARS(), LAMB(), LBFGS(), SGD(common = Common(clipNorm = Some(1.0)))))
      assert(engine(optimizer)(_.needsSums()), optimizer)
  }

  test("a layer that the model does not have is refused") {
    val error = intercept[IllegalArgumentException] {
      engine(PerLayer(SGD()).freeze("conv"))(_.slots())
    }
    assert(error.getMessage.contains("\"conv\", and the parameters are dense."), error.getMessage)
  }

  /** Learning rates that the engine makes of 1 and a schedule. */
  private def rates(schedule: Schedule, iterations: Long*): Seq[Double] =
    engine(SGD(1.0, common = Common(schedule = Some(schedule)))) { native =>
      iterations.map(native.learningRate)
    }

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
    assert(rates(EpochDecay(Seq(0.0, 1.0), 5), 4, 5, 99) == Seq(1.0, 0.1, 0.1))
    assert(EpochDecay.of(2, 5)(_.toDouble) == EpochDecay(Seq(0.0, 1.0), 5))
    val warm = EpochDecayWithWarmUp(3, 0.5, Seq(0.0, 1.0), 5)
    assert(rates(warm, 0, 2, 3, 4, 5) == Seq(1.0, 2.0, 2.5, 2.5, 0.25))
    val regimes = EpochSchedule(Seq(Regime(1, 1, 0.5), Regime(3, 4, 0.25)), 5)
    assert(rates(regimes, 4, 5, 10, 15, 99) == Seq(1.0, 0.5, 0.5, 0.25, 0.25))
    assert(rates(PolyEpochDecay(2.0, 4, 5), 4, 10, 20) == Seq(1.0, 0.25, 0.0))
    assert(rates(Fixed(), 0, 99) == Seq(1.0, 1.0))
    assert(rates(Plateau(), 0, 99) == Seq(1.0, 1.0))
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
    val both = SGD(common = Common(decay = 0.1, schedule = Some(Warmup(0.1))))
    val error = intercept[IllegalArgumentException](engine(both)(_.slots()))
    assert(error.getMessage.contains("SGD: decay is 0.1, expected 0 beside a schedule"))
  }

  test("a plateau lowers the rate by what was measured") {
    val plateau = Plateau(monitor = "Loss", factor = 0.5, patience = 2)
    val factors = engine(SGD(common = Common(schedule = Some(plateau)))) { native =>
      Seq(Array(3.0, 2.0, 2.0), Array(3.0, 2.0, 2.0, 2.0)).map(native.rateFactor)
    }
    assert(factors == Seq(1.0, 0.5))
  }

  test("a large batch warms up to a rate that is as many times larger") {
    val large = LinearScaling(0.25, 256, 1024, warmUpIterations = 3)
    assert(large.rate == 1.0)
    val sgd =
      SGD(large.startRate, common = Common(schedule = Some(large.schedule(Step(10, 0.5)))))
    val rates = engine(sgd)(native => Seq(0L, 1L, 3L, 12L, 13L).map(native.learningRate))
    assert(rates == Seq(0.25, 0.5, 1.0, 1.0, 0.5))
    val cold = LinearScaling(0.25, 256, 1024)
    assert((cold.startRate, cold.schedule()) == (1.0, Fixed()))
    intercept[IllegalArgumentException](LinearScaling(0.1, 0, 1))
  }

  test("the learning rate decays as documented") {
    val rates = engine(SGD(learningRate = 0.1, common = Common(decay = 0.5))) { native =>
      Seq(0L, 1L, 2L).map(native.learningRate)
    }
    assert(rates == Seq(0.1, 0.1 / 1.5, 0.1 / 2.0))
  }

  test("a setting out of range is refused and named") {
    val error = intercept[IllegalArgumentException](engine(SGD(momentum = 1.5))(_.slots()))
    assert(error.getMessage.contains("momentum"))
  }
}
