package firesteel.train

import com.fasterxml.jackson.databind.node.ObjectNode

import firesteel.train.JsonFields.{array, bits, obj}

/** The JSON form of a training's state; not a bit of a double is lost. */
private[train] object TrainingStateJson {
  def write(state: TrainingState): ObjectNode = {
    val node = obj
      .put("iterations_per_epoch", state.iterationsPerEpoch)
      .put("iteration", state.iteration)
      .put("epoch", state.epoch)
      .put("index", state.index)
      .put("epoch_ended", state.epochEnded)
      .put("loss_sum", bits(state.lossSum))
      .put("records", state.records)
      .put("seconds", bits(state.seconds))
      .put("loss", state.loss.map(bits).orNull)
    node.set[ObjectNode]("epochs", array(state.epochs)(write))
    node.set[ObjectNode]("measurements", array(state.measurements)(write))
  }

  /**
   * The state that was written.
   *
   * @throws java.lang.IllegalArgumentException if a field is missing or of the wrong type
   */
  def read(state: JsonFields): TrainingState = TrainingState(
    iterationsPerEpoch = state.long("iterations_per_epoch"),
    iteration = state.long("iteration"),
    epoch = state.long("epoch"),
    index = state.long("index"),
    epochEnded = state.boolean("epoch_ended"),
    lossSum = state.double("loss_sum"),
    records = state.long("records"),
    seconds = state.double("seconds"),
    loss = state.option("loss")(_.double),
    epochs = state.all("epochs").map(readEpoch),
    measurements = state.all("measurements").map(readMeasurement)
  )

  private def write(epoch: EpochResult): ObjectNode = {
    val node = obj
      .put("epoch", epoch.epoch)
      .put("loss", bits(epoch.loss))
      .put("records", epoch.records)
      .put("seconds", bits(epoch.seconds))
      .put("iteration_ms", bits(epoch.iterationMs))
      .put("weights_hash", epoch.weightsHash)
    node.set[ObjectNode]("validation", epoch.validation.map(write).orNull)
  }

  private def readEpoch(epoch: JsonFields): EpochResult = EpochResult(
    epoch = epoch.int("epoch"),
    loss = epoch.double("loss"),
    records = epoch.long("records"),
    seconds = epoch.double("seconds"),
    iterationMs = epoch.double("iteration_ms"),
    weightsHash = epoch.text("weights_hash"),
    validation = epoch.option("validation")(_.fields).map(readEvaluation)
  )

  private def write(measurement: Measurement): ObjectNode =
    obj
      .put("iteration", measurement.iteration)
      .put("epoch", measurement.epoch)
      .set[ObjectNode]("evaluation", write(measurement.evaluation))

  private def readMeasurement(measurement: JsonFields): Measurement = Measurement(
    measurement.long("iteration"),
    measurement.long("epoch"),
    readEvaluation(measurement.fields("evaluation"))
  )

  private def write(evaluation: Evaluation): ObjectNode =
    obj
      .put("count", evaluation.count)
      .put("loss_sum", bits(evaluation.lossSum))
      .put("correct", evaluation.correct)

  private def readEvaluation(evaluation: JsonFields): Evaluation =
    Evaluation(evaluation.long("count"), evaluation.double("loss_sum"), evaluation.long("correct"))
}
