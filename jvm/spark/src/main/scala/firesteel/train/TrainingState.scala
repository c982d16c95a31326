package firesteel.train

/**
 * What the validation rows said.
 *
 * @param iteration number of iterations done
 * @param epoch number of epochs done
 */
final case class Measurement(iteration: Long, epoch: Long, evaluation: Evaluation)

/**
 * How far a training is: all that its driver knows of the past and that the future depends on.
 *
 * It never changes; what follows an iteration, a measurement or an epoch is another state.
 *
 * @param iterationsPerEpoch number of iterations of an epoch
 * @param iteration number of iterations done
 * @param epoch number of epochs done
 * @param index number of iterations done of the current epoch, 0 if none or if the last iteration
 *     ended an epoch
 * @param epochEnded whether the last iteration ended an epoch
 * @param lossSum sum of the losses of the rows of the current epoch, or of the one just ended
 * @param records number of these rows
 * @param seconds time of these iterations
 * @param loss mean loss of the rows of the last iteration, if there was one
 * @param epochs what the epochs brought
 * @param measurements what the validation rows said, in their order
 */
final case class TrainingState(
    iterationsPerEpoch: Long,
    iteration: Long = 0,
    epoch: Long = 0,
    index: Long = 0,
    epochEnded: Boolean = false,
    lossSum: Double = 0.0,
    records: Long = 0,
    seconds: Double = 0.0,
    loss: Option[Double] = None,
    epochs: Vector[EpochResult] = Vector.empty,
    measurements: Vector[Measurement] = Vector.empty
) {

  /** Mean loss of the rows of the current epoch, or of the one just ended; NaN before any. */
  def meanLoss: Double = lossSum / records

  /** Number of iterations until the current epoch ends, 1 or more. */
  def iterationsToEpochEnd: Long = iterationsPerEpoch - index

  /** Accuracy of the last measurement, if there was one. */
  def score: Option[Double] = measurements.lastOption.map(_.evaluation.accuracy)

  /** Best accuracy of all measurements, if there were any. */
  def bestScore: Option[Double] = measurements.map(_.evaluation.accuracy).maxOption

  /**
   * After one more iteration.
   *
   * @param lossSum sum of the losses of its rows
   * @param records number of its rows, 1 or more
   * @param seconds its time
   */
  private[firesteel] def afterIteration(
      lossSum: Double,
      records: Long,
      seconds: Double
  ): TrainingState = {
    val begun =
      if (epochEnded) copy(lossSum = 0, records = 0, seconds = 0, epochEnded = false) else this
    val ended = index + 1 == iterationsPerEpoch
    begun.copy(
      iteration = iteration + 1,
      epoch = if (ended) epoch + 1 else epoch,
      index = if (ended) 0 else index + 1,
      epochEnded = ended,
      lossSum = begun.lossSum + lossSum,
      records = begun.records + records,
      seconds = begun.seconds + seconds,
      loss = Some(lossSum / records)
    )
  }

  /** After the validation rows were measured with the weights of this state. */
  private[firesteel] def afterMeasurement(evaluation: Evaluation): TrainingState =
    copy(measurements = measurements :+ Measurement(iteration, epoch, evaluation))

  /** With the result of the epoch that the last iteration ended. */
  private[firesteel] def afterEpoch(result: EpochResult): TrainingState = {
    require(epochEnded, s"training state: expected the end of an epoch, got iteration $iteration")
    copy(epochs = epochs :+ result)
  }

  /**
   * At the beginning of the current epoch, which now has so many iterations: what follows when
   * rows, batch size, seed or number of shards are others than before.
   */
  private[firesteel] def restartEpoch(iterationsPerEpoch: Long): TrainingState =
    if (index == 0) copy(iterationsPerEpoch = iterationsPerEpoch)
    else
      copy(
        iterationsPerEpoch = iterationsPerEpoch,
        index = 0,
        lossSum = 0,
        records = 0,
        seconds = 0
      )
}
