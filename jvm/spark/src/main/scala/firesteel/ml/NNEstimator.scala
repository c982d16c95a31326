package firesteel.ml

import org.apache.spark.ml.Estimator
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, DefaultParamsWritable, Identifiable}
import org.apache.spark.sql.Dataset
import org.apache.spark.sql.types.StructType

import firesteel.nn.{Loss, ModelDefinition}

/**
 * Trains a network on the columns of a DataFrame, as a stage of a Spark ML pipeline.
 *
 * {{{
 * val estimator = NNEstimator(model, MeanSquaredError())
 *   .setFeaturesCol("features")
 *   .setLabelCol("target")
 *   .setOptimizer(Adam())
 *   .setBatchSize(128)
 *   .setMaxEpoch(10)
 * val trained = estimator.fit(rows)
 * }}}
 *
 * Features: arrays of numbers, ML vectors, numbers or booleans. Label: a class index from 0 for
 * `CrossEntropy`, else as many numbers as the model's output has.
 */
final class NNEstimator(override val uid: String)
    extends Estimator[NNModel]
    with NNFitting
    with DefaultParamsWritable {

  def this() = this(Identifiable.randomUID("NNEstimator"))

  /**
   * Trains.
   *
   * @throws java.lang.IllegalArgumentException if model, loss, optimizer or a column do not fit
   *   together
   * @throws firesteel.train.TrainingException if the training cannot go on
   */
  override def fit(dataset: Dataset[_]): NNModel = {
    val result = train(dataset)
    copyValues(new NNModel(uid).setTrained(result).setParent(this))
  }

  override def transformSchema(schema: StructType): StructType = {
    encoderOf(schema)
    NNModelBase.withPrediction(schema, getPredictionCol, NNModel.PredictionType)
  }

  override def copy(extra: ParamMap): NNEstimator = copyValidation(defaultCopy(extra))
}

object NNEstimator extends DefaultParamsReadable[NNEstimator] {

  /** An estimator of this model that makes this loss small. */
  def apply(model: ModelDefinition, loss: Loss): NNEstimator =
    new NNEstimator().setModel(model).setLoss(loss)
}
