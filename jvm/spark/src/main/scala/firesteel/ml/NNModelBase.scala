package firesteel.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsWritable, MLReader, MLWriter}
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.sql.firesteel.PredictBatches
import org.apache.spark.sql.types.{DataType, StructField, StructType}

import firesteel.data.RowEncoder
import firesteel.train.{ModelFile, TrainingResult}

/**
 * What the models have in common: a model file, and its use in batches.
 *
 * Saved as a Spark ML stage: `metadata` with the parameters, beside it `model.safetensors`, which
 * `firesteel.inference.InferenceModel` and any safetensors reader can open.
 */
abstract class NNModelBase[M <: NNModelBase[M]] private[ml]
    extends Model[M]
    with NNColumns
    with HasBatchSize
    with DefaultParamsWritable { self: M =>
  private var state: Option[TrainedState] = None
  private var result: Option[TrainingResult] = None

  setDefault(batchSize -> 128)

  /** How the training went, if this model was trained by this application. */
  def summary: Option[TrainingResult] = result

  /** SHA-256 of the weights: equal hashes are equal bits. */
  def weightsHash: String = modelFile.weightsHash

  /** The model as a file on the driver; it is there as long as something refers to this object. */
  def modelFile: ModelFile = trained.file

  /** Type of a prediction. */
  protected def predictionType: DataType

  /** A prediction from the outputs of a sample. */
  protected def prediction: Prediction

  /**
   * Adds the prediction column. Nothing runs until the result is used; one copy of the weights per
   * executor serves all its tasks.
   *
   * @throws firesteel.data.DataException if a column is missing or of the wrong type; a bad row is
   *   found when it is read
   */
  override def transform(dataset: Dataset[_]): DataFrame = {
    transformSchema(dataset.schema)
    val predictor = new ModelPredictor(
      uid,
      modelFile.weightsHash,
      trained.send(dataset.sparkSession),
      encoderOf(dataset.schema),
      modelFile.inputShapes,
      modelFile.outputShape,
      getBatchSize,
      predictionType,
      prediction
    )
    PredictBatches(dataset, getPredictionCol, predictor)
  }

  override def transformSchema(schema: StructType): StructType = {
    encoderOf(schema)
    NNModelBase.withPrediction(schema, getPredictionCol, predictionType)
  }

  override def copy(extra: ParamMap): M = {
    val copied = defaultCopy[M](extra)
    state.foreach(same => copied.setState(same))
    result.foreach(same => copied.setResult(same))
    copied.setParent(parent)
  }

  /**
   * Writes the model file alone, to any file system of Hadoop, for serving without Spark.
   *
   * @throws java.io.IOException if the file is there already or cannot be written
   */
  def saveModel(path: String): Unit =
    ModelFiles.write(SparkSession.active, new Path(path), modelFile)

  override def write: MLWriter = {
    val params = super.write
    val file = modelFile
    new MLWriter {
      override protected def saveImpl(path: String): Unit = {
        params.session(sparkSession).save(path)
        ModelFiles.write(sparkSession, ModelFiles.inStage(path), file)
      }
    }
  }

  private[ml] def setTrained(trained: TrainingResult): M = {
    setFile(trained.modelFile)
    setResult(trained)
  }

  private[ml] def setFile(file: ModelFile): M = setState(new TrainedState(file))

  private def setState(value: TrainedState): M = {
    state = Some(value)
    self
  }

  private def setResult(value: TrainingResult): M = {
    result = Some(value)
    self
  }

  private def trained: TrainedState = state.getOrElse(
    throw new IllegalStateException(
      s"$uid: expected a model with weights, got one without. Get models by fit or load."
    )
  )

  private def encoderOf(schema: StructType): RowEncoder =
    RowEncoder(schema, RowEncoder.features(getFeaturesCols.toSeq, modelFile.inputShapes))
}

private[ml] object NNModelBase {

  /** The schema with a column for predictions. */
  def withPrediction(schema: StructType, column: String, dataType: DataType): StructType = {
    if (schema.fieldNames.exists(_.equalsIgnoreCase(column))) {
      throw new IllegalArgumentException(
        s"""column "$column": expected no column of this name, got one. Drop it or choose another """ +
          "name by setPredictionCol."
      )
    }
    schema.add(StructField(column, dataType, nullable = false))
  }
}

/** A model file that is sent to the executors of an application once. */
private[ml] final class TrainedState(val file: ModelFile) {
  private var sent: Option[(String, SentModel)] = None

  /** The model on its way to the executors. */
  def send(spark: SparkSession): SentModel = synchronized {
    val sc = spark.sparkContext
    val application = sc.applicationId
    val value = sent
      .collect { case (`application`, model) => model }
      .getOrElse(SentModel(sc, file))
    sent = Some((application, value))
    value
  }
}

/** Reads a model: parameters and model file. */
private[ml] final class NNModelReader[M <: NNModelBase[M]](params: MLReader[M])
    extends MLReader[M] {
  override def load(path: String): M =
    params.session(sparkSession).load(path).setFile(
      ModelFiles.read(sparkSession, ModelFiles.inStage(path))
    )
}
