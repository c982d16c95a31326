package firesteel.examples

import java.nio.file.{Path, Paths}

import firesteel.nn._

/**
 * The command line of [[ObservedTraining]].
 *
 * @param checkpoint folder of the checkpoints, from which it goes on if there are any
 * @param every iterations from checkpoint to checkpoint
 * @param compression what gradients are rounded to on their way
 * @param localSteps steps from one average of the weights to the next
 * @param test images to measure with after each epoch, if any
 */
private[examples] final case class ObservedOptions(
    data: Path = Paths.get("spark-examples/data/fashion-mnist"),
    model: String = "lenet5",
    records: Int = 60000,
    epochs: Int = 5,
    batch: Int = 128,
    shards: Int = 4,
    seed: Long = 1,
    checkpoint: Option[String] = None,
    every: Long = 20,
    compression: String = "none",
    localSteps: Option[Int] = None,
    test: Int = 0
) {

  /** `lenet5` with dropout: 22,278 weights; or `wide`, 317,066 weights and about 40 times the work. */
  def network: Sequential = model match {
    case "lenet5" =>
      Sequential(inputShape = Seq(1, 28, 28))
        .add(Conv2D(6, (5, 5), activation = "tanh"))
        .add(MaxPooling2D())
        .add(Conv2D(12, (5, 5), activation = "tanh"))
        .add(MaxPooling2D())
        .add(Flatten())
        .add(Dense(100, activation = "tanh"))
        .add(Dropout(0.2))
        .add(Dense(10))
    case "wide" =>
      Sequential(inputShape = Seq(1, 28, 28))
        .add(Conv2D(32, (5, 5), activation = "relu"))
        .add(MaxPooling2D())
        .add(Conv2D(64, (5, 5), activation = "relu"))
        .add(MaxPooling2D())
        .add(Flatten())
        .add(Dense(256, activation = "relu"))
        .add(Dropout(0.2))
        .add(Dense(10))
    case other =>
      throw new IllegalArgumentException(s"--model: expected lenet5 or wide, got $other.")
  }
}

private[examples] object ObservedOptions {
  private val Usage =
    "--data DIR --model lenet5|wide --records N --epochs N --batch N --shards N " +
      "--seed N --checkpoint DIR --every N --compression none|bf16 --local-steps N --test N"

  def parse(args: Array[String]): ObservedOptions =
    args.toSeq.sliding(2, 2).foldLeft(ObservedOptions()) {
      case (options, Seq("--data", value)) => options.copy(data = Paths.get(value))
      case (options, Seq("--model", value)) => options.copy(model = value)
      case (options, Seq("--records", value)) => options.copy(records = value.toInt)
      case (options, Seq("--epochs", value)) => options.copy(epochs = value.toInt)
      case (options, Seq("--batch", value)) => options.copy(batch = value.toInt)
      case (options, Seq("--shards", value)) => options.copy(shards = value.toInt)
      case (options, Seq("--seed", value)) => options.copy(seed = value.toLong)
      case (options, Seq("--checkpoint", value)) => options.copy(checkpoint = Some(value))
      case (options, Seq("--every", value)) => options.copy(every = value.toLong)
      case (options, Seq("--compression", value)) => options.copy(compression = value)
      case (options, Seq("--local-steps", value)) => options.copy(localSteps = Some(value.toInt))
      case (options, Seq("--test", value)) => options.copy(test = value.toInt)
      case (_, other) =>
        throw new IllegalArgumentException(
          s"expected $Usage, got ${other.mkString(" ")}. Correct the command line."
        )
    }
}
