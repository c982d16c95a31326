package firesteel.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsWritable, MLReader, MLWriter}
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.sql.firesteel.PredictBatches
import org.apache.spark.sql.types.{DataType, StructField, StructType}

import firesteel.data.RowEncoder
import firesteel.jni.{NativeBuffer, NativeModel}
import firesteel.train.{Closing, TrainingResult}

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
  def weightsHash: String = trained.weightsHash

  /** The bytes of the model file. */
  def modelFile: Array[Byte] = trained.file

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
      trained.weightsHash,
      trained.broadcast(dataset.sparkSession),
      encoderOf(dataset.schema),
      trained.inputs,
      trained.output,
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

  private[ml] def setFile(file: Array[Byte]): M = setState(TrainedState(file))

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
    RowEncoder(schema, RowEncoder.features(getFeaturesCols.toSeq, trained.inputs))
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

/** A model file and what is known of it. */
private[ml] final class TrainedState private (
    val file: Array[Byte],
    val weightsHash: String,
    val inputs: Seq[Seq[Int]],
    val output: Seq[Int]
) {
  private var sent: Option[(String, Broadcast[Array[Byte]])] = None

  /** The file on its way to the executors; sent once per application. */
  def broadcast(spark: SparkSession): Broadcast[Array[Byte]] = synchronized {
    val sc = spark.sparkContext
    val application = sc.applicationId
    val value = sent
      .collect { case (`application`, broadcast) => broadcast }
      .getOrElse(sc.broadcast(file))
    sent = Some((application, value))
    value
  }
}

private[ml] object TrainedState {

  /**
   * Checks the file.
   *
   * @throws java.io.UncheckedIOException if it is not a whole model file
   */
  def apply(file: Array[Byte]): TrainedState = {
    val closing = new Closing
    try {
      val model = closing.add(NativeModel.read(file))
      val weights = closing.add(new NativeBuffer(model.parameterCount * 4))
      model.storedWeights(weights)
      new TrainedState(
        file,
        weights.sha256(model.parameterCount),
        model.inputShapes.map(_.toSeq).toSeq,
        model.outputShape.toSeq
      )
    } finally closing.close()
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
