package firesteel.nn

/**
 * A model as a graph of layers, as Keras' functional API has it.
 *
 * {{{
 * val image = Input(Seq(3, 32, 32))
 * val first = Conv2D(16, (3, 3), padding = Padding.Same, activation = "relu")(image)
 * val second = Conv2D(16, (3, 3), padding = Padding.Same)(first)
 * val sum = ReLU()(Add()(first, second))
 * val model = Model(image, Dense(10)(GlobalAveragePooling2D()(sum)))
 * }}}
 *
 * @param name
 *   Name of the model.
 * @param inputs
 *   The inputs, in the order of the columns or arrays that will feed them.
 * @param outputs
 *   The results.
 */
final class Model private (val name: String, inputs: Seq[Node], outputs: Seq[Node])
    extends ModelDefinition {

  override val toJson: String = {
    // Inputs first, in the order given; then the layers, each after its inputs.
    val nodes = inputs ++ Model.reachable(outputs).filterNot(inputs.contains)
    val names = Model.names(nodes)
    val references = nodes.zip(names).toMap
    def layer(node: Node, settings: Layer): String = Json.obj(
      Seq(
        "class" -> Json.of(settings.productPrefix),
        "name" -> Json.of(references(node)),
        "config" -> Json.obj(settings.arguments),
        "inputs" -> Json.array(node.inputs.map(input => Json.of(references(input))))
      )
    )
    def input(node: Node, dims: Seq[Int]): String =
      Json.obj(Seq("name" -> Json.of(references(node)), "shape" -> Json.of(dims)))
    Json.obj(
      Seq(
        "format" -> Json.of(1),
        "name" -> Json.of(name),
        "inputs" -> Json.array(nodes.collect { case n @ Node(Right(shape)) =>
          input(n, shape.dims)
        }),
        "layers" -> Json.array(nodes.collect { case n @ Node(Left(made)) => layer(n, made) }),
        "outputs" -> Json.array(outputs.map(output => Json.of(references(output))))
      )
    )
  }
}

object Model {

  /** A model with one input and one output. */
  def apply(input: Node, output: Node): Model = apply(Seq(input), Seq(output))

  /** A model with several inputs. */
  def apply(inputs: Seq[Node], outputs: Seq[Node], name: String = "model"): Model = {
    val strangers = reachable(outputs).filter(_.source.isRight).filterNot(inputs.contains)
    require(
      strangers.isEmpty,
      s"""model "$name": the outputs depend on ${strangers.size} Input nodes beside the """ +
        s"${inputs.size} listed. List every one in inputs."
    )
    require(
      inputs.forall(_.source.isRight),
      s"""model "$name": expected inputs made by Input, got the result of a layer. """ +
        "Start the model at an Input."
    )
    new Model(name, inputs, outputs)
  }

  /** All nodes that these are computed from, themselves included, each after its inputs. */
  private def reachable(outputs: Seq[Node]): Seq[Node] = {
    val seen = scala.collection.mutable.LinkedHashSet.empty[Node]
    val open = scala.collection.mutable.Stack.from(outputs)
    while (open.nonEmpty) {
      val node = open.pop()
      if (seen.add(node)) open.pushAll(node.inputs)
    }
    seen.toSeq.sortBy(_.order)
  }

  /** The name that a node was given, or its class and the first free number. */
  private def names(nodes: Seq[Node]): Seq[String] = {
    val taken = scala.collection.mutable.Set.from(nodes.map(_.givenName).filter(_.nonEmpty))
    nodes.map { node =>
      if (node.givenName.nonEmpty) node.givenName
      else {
        val candidates =
          Iterator(node.baseName) ++ Iterator.from(1).map(n => s"${node.baseName}_$n")
        val name = candidates.filterNot(taken.contains).next()
        taken += name
        name
      }
    }
  }
}
