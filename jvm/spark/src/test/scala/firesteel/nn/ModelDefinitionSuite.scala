package firesteel.nn

import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.NativeModel

class ModelDefinitionSuite extends AnyFunSuite {

  /** What the engine makes of a model. */
  private def engine[A](model: ModelDefinition)(read: NativeModel => A): A = {
    val native = NativeModel.define(model.toJson)
    try read(native)
    finally native.close()
  }

  private def outputShape(model: ModelDefinition): Seq[Int] = engine(model)(_.outputShape().toSeq)

  private def names(model: ModelDefinition): Seq[String] =
    """"class":"[^"]*","name":"([^"]*)"""".r.findAllMatchIn(model.toJson).map(_.group(1)).toSeq

  test("the engine accepts every layer with its defaults and with all arguments given") {
    val image = Input(Seq(4, 8, 8), name = "image")
    val sequence = Reshape(Seq(8, 32))(image)
    val images = Seq[Node](
      Conv2D(
        filters = 4,
        kernelSize = (3, 2),
        strides = (2, 1),
        padding = Padding.Explicit(1, 0, 1, 1),
        groups = 2,
        activation = "tanh",
        useBias = false,
        kernelInitializer = Initializer.RandomNormal(stddev = 0.01),
        biasInitializer = Initializer.Constant(0.1)
      )(image),
      Conv2D(4, (3, 3), dilationRate = (2, 2))(image),
      MaxPooling2D(padding = Padding.Same)(image),
      AveragePooling2D(poolSize = (3, 3), strides = Some((1, 1)))(image),
      BatchNormalization(momentum = 0.9, center = false)(image),
      Add()(image, image),
      Multiply()(image, image, image),
      Concatenate()(image, image),
      Dropout(0.5)(image),
      ReLU()(image),
      Softmax()(image),
      Activation("sigmoid")(image),
      Reshape(Seq(-1, 64))(image),
      Dense(3, activation = "log_softmax")(image),
      GlobalAveragePooling2D()(image),
      LRN2D(n = 3)(image),
      LayerNormalization(epsilon = 1e-12)(image),
      Select(1, -1)(image),
      Embedding(5, 3)(image),
      PositionEmbedding()(sequence),
      MultiHeadAttention(4, causal = true)(sequence),
      LSTM(3, goBackwards = true)(sequence)
    )
    val rows = images.map(node => Dense(2)(Flatten()(node)))
    val model = Model(image, Concatenate()(rows: _*))
    assert(outputShape(model) == Seq(2 * rows.size))
  }

  test("every initializer is known to the engine") {
    val initializers = Seq(
      Initializer.Zeros,
      Initializer.Ones,
      Initializer.GlorotUniform,
      Initializer.GlorotNormal,
      Initializer.HeUniform,
      Initializer.HeNormal,
      Initializer.LecunUniform,
      Initializer.LecunNormal,
      Initializer.Constant(1e-7),
      Initializer.RandomUniform(),
      Initializer.RandomNormal()
    )
    val layers = initializers.map(initializer => Dense(3, kernelInitializer = initializer))
    assert(outputShape(Sequential(Seq(5), layers: _*)) == Seq(3))
  }

  test("layers without a name are numbered by class as in Keras") {
    val model = Sequential(inputShape = Seq(1, 28, 28))
      .add(Conv2D(6, (5, 5)))
      .add(MaxPooling2D())
      .add(Conv2D(12, (5, 5)))
      .add(ReLU())
      .add(BatchNormalization())
      .add(GlobalAveragePooling2D())
      .add(Dense(10, name = "dense_1"))
      .add(Dense(10))
      .add(Dense(10))
    assert(
      names(model) == Seq(
        "conv2d",
        "max_pooling2d",
        "conv2d_1",
        "re_lu",
        "batch_normalization",
        "global_average_pooling2d",
        "dense_1",
        "dense",
        "dense_2"
      )
    )
    assert(outputShape(model) == Seq(10))
  }

  test("a sequential model and the same chain of nodes have the same definition") {
    val input = Input(Seq(4))
    val chain = Model(Seq(input), Seq(Dense(2)(ReLU()(Dense(3)(input)))), name = "m")
    assert(Sequential("m", Seq(4), Dense(3), ReLU(), Dense(2)).toJson == chain.toJson)
  }

  test("inputs keep their order and each application has weights of its own") {
    val (left, right) = (Input(Seq(2), name = "left"), Input(Seq(3)))
    val dense = Dense(4)
    val model = Model(Seq(right, left), Seq(Add()(dense(left), dense(right))))
    engine(model) { native =>
      assert(native.inputShapes().map(_.toSeq).toSeq == Seq(Seq(3), Seq(2)))
      assert(native.parameterCount() == 2 * 4 + 4 + 3 * 4 + 4)
    }
  }

  test("an input that is not listed is refused") {
    val (listed, forgotten) = (Input(Seq(2)), Input(Seq(2)))
    val error = intercept[IllegalArgumentException](Model(listed, Add()(listed, forgotten)))
    assert(error.getMessage.contains("depend on 1 Input nodes beside the 1 listed"))
    val dense = Dense(3)(listed)
    val swapped = intercept[IllegalArgumentException](Model(dense, ReLU()(dense)))
    assert(swapped.getMessage.contains("depend on 1 Input nodes"))
  }

  test("what the engine refuses names the layer and the remedy") {
    val cases = Seq(
      Conv2D(6, (5, 5), name = "c1") -> "Conv2D \"c1\": kernel 5×5 does not fit input 3×3",
      Conv2D(6, (3, 3), activation = "rely") -> "argument activation is \"rely\". Give one of",
      Dropout(Double.NaN) -> "argument rate is \"NaN\". Give a finite number.",
      Dense(0) -> "argument units is 0. Give a whole number from 1"
    )
    cases.foreach { case (layer, message) =>
      val model = Sequential(Seq(1, 3, 3), layer)
      val error = intercept[IllegalArgumentException](outputShape(model))
      assert(error.getMessage.contains(message))
    }
  }

  test("names may hold any character") {
    val model = Sequential("a \"model\"\\\u0001", Seq(3), Dense(2, name = "größe \"\n"))
    assert(outputShape(model) == Seq(2))
  }
}
