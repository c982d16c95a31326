package firesteel.ml

import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.ml.param.Param
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.sql.types.StructType

import firesteel.data._
import firesteel.jni.{NativeDataset, NativeModel, NativeOptimizer}
import firesteel.nn.{Loss, ModelDefinition}
import firesteel.optim.{Optimizer, SGD, Trigger}
import firesteel.summary.{TrainSummary, ValidationSummary}
import firesteel.train._

/** What the estimators have in common: all but the class of the model they return. */
private[ml] trait NNFitting extends NNTrainingParams {
  private var validation: Option[DataFrame] = None
  private var trainSummary: Option[TrainSummary] = None
  private var validationSummary: Option[ValidationSummary] = None

  /** @group setParam */
  def setModel(value: ModelDefinition): this.type = set(model, value.toJson)

  /** @group setParam */
  def setLoss(value: Loss): this.type = set(loss, value.toJson)

  /** @group setParam */
  def setOptimizer(value: Optimizer): this.type = set(optimizer, value.toJson)

  /**
   * [[setOptimizer]] by the name it has in BigDL's nnframes.
   *
   * @group setParam
   */
  def setOptimMethod(value: Optimizer): this.type = setOptimizer(value)

  /**
   * Rows to measure with, after each epoch unless another trigger was set: the same columns as the
   * training's. Not saved with the estimator.
   */
  def setValidation(dataset: Dataset[_]): this.type = {
    validation = Some(dataset.toDF())
    this
  }

  /** Rows to measure with when `trigger` fires; the rows are not saved with the estimator. */
  def setValidation(trigger: Trigger, dataset: Dataset[_]): this.type =
    set(validationTrigger, trigger.toJson).setValidation(dataset)

  /** Where TensorBoard finds the curves of the training. Not saved with the estimator. */
  def setTrainSummary(value: TrainSummary): this.type = {
    trainSummary = Some(value)
    this
  }

  /** Where TensorBoard finds what validations measure. Not saved with the estimator. */
  def setValidationSummary(value: ValidationSummary): this.type = {
    validationSummary = Some(value)
    this
  }

  /** What the label column must hold for a model with this output. */
  private def labelContent(output: Seq[Int]): Content =
    NNFitting.json.readTree($(loss)).path("class").asText match {
      case "CrossEntropy" => ClassIndex(output.product)
      case _ => Target(output)
    }

  /** Checks model, loss, optimizer and columns; no job starts. */
  protected def encoderOf(schema: StructType): RowEncoder = {
    val closing = new Closing
    try {
      val network = closing.add(NativeModel.define(needed(model, "setModel(…)")))
      closing.add(new NativeDataset(network, needed(loss, "setLoss(…)")))
      closing.add(new NativeOptimizer(network, optimizerJson))
      val features =
        RowEncoder.features(getFeaturesCols.toSeq, network.inputShapes.map(_.toSeq).toSeq)
      RowEncoder(schema, features :+ ($(labelCol) -> labelContent(network.outputShape.toSeq)))
    } finally closing.close()
  }

  /** Trains; all checks that can be made without a job come first. */
  protected def train(dataset: Dataset[_]): TrainingResult = {
    checkTriggers()
    val training = rowsOf(dataset)
    val measured = validation.map(rowsOf(_))
    val settings = TrainingSettings(
      $(model),
      $(loss),
      optimizerJson,
      getBatchSize,
      getMaxEpoch,
      getSeed,
      getShards,
      Some(getEndWhen),
      getValidationTrigger,
      getCheckpoint,
      getMicroBatch,
      strategy
    )
    val observers = Seq(trainSummary, validationSummary).flatten
    new Trainer(dataset.sparkSession, settings).fit(training, measured, observers)
  }

  protected def copyValidation[T <: NNFitting](to: T): T = {
    validation.foreach(to.setValidation(_))
    trainSummary.foreach(to.setTrainSummary(_))
    validationSummary.foreach(to.setValidationSummary(_))
    to
  }

  /** A training whose end waits for what is never measured would never end. */
  private def checkTriggers(): Unit = {
    val triggers = Seq("end" -> getEndWhen) ++ getCheckpoint.map("checkpoint" -> _.trigger)
    for ((what, trigger) <- triggers if validation.isEmpty && trigger.needsValidation) {
      throw new IllegalStateException(
        s"$uid: expected rows to measure with, since the trigger of the $what, $trigger, waits for " +
          "what they say, got none. Call setValidation(…) too."
      )
    }
  }

  private def rowsOf(dataset: Dataset[_]): TrainingRows = {
    val encoder = encoderOf(dataset.schema)
    TrainingRows(encoder.select(dataset), encoder)
  }

  private def needed(param: Param[String], setter: String): String =
    get(param).getOrElse(
      throw new IllegalStateException(
        s"$uid: expected ${param.name} to be set, got nothing. Call $setter first."
      )
    )

  private[ml] def optimizerJson: String = {
    val chosen = get(optimizer).getOrElse(SGD(learningRate = 1e-3).toJson)
    val tree = NNFitting.json.readTree(chosen).asInstanceOf[ObjectNode]
    val settings = tree.withObject("/config")
    getLearningRate.foreach(settings.put("learning_rate", _))
    getLearningRateDecay.foreach(settings.put("decay", _))
    getClipValue.foreach(settings.put("clip_value", _))
    getClipNorm.foreach(settings.put("clip_norm", _))
    tree.toString
  }
}

private object NNFitting {
  val json = new ObjectMapper
}
