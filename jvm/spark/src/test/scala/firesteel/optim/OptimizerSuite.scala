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
