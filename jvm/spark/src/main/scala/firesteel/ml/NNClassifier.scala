package firesteel.ml

import org.apache.spark.ml.Estimator
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, DefaultParamsWritable, Identifiable}
import org.apache.spark.sql.Dataset
import org.apache.spark.sql.types.StructType

import firesteel.nn.{Loss, ModelDefinition}

/**
 * An [[NNEstimator]] of classes: the label is a class index from 0, and the trained model predicts
 * the class with the largest output, as a double, which is what Spark's evaluators expect.
 *
 * {{{
 * val classifier = NNClassifier(model, CrossEntropy())
 *   .setFeaturesCol("image")
 *   .setOptimizer(Adam())
 *   .setBatchSize(128)
 *   .setMaxEpoch(10)
 *   .setValidation(test)
 * }}}
 */
final class NNClassifier(override val uid: String)
    extends Estimator[NNClassifierModel]
    with NNFitting
    with DefaultParamsWritable {

  def this() = this(Identifiable.randomUID("NNClassifier"))

  /**
   * Trains.
   *
   * @throws java.lang.IllegalArgumentException if model, loss, optimizer or a column do not fit
   *   together
   * @throws firesteel.train.TrainingException if the training cannot go on
   */
  override def fit(dataset: Dataset[_]): NNClassifierModel = {
    val result = train(dataset)
    copyValues(new NNClassifierModel(uid).setTrained(result).setParent(this))
  }

  override def transformSchema(schema: StructType): StructType = {
    encoderOf(schema)
    NNModelBase.withPrediction(schema, getPredictionCol, NNClassifierModel.PredictionType)
  }

  override def copy(extra: ParamMap): NNClassifier = copyValidation(defaultCopy(extra))
}

object NNClassifier extends DefaultParamsReadable[NNClassifier] {

  /** A classifier of this model that makes this loss small. */
  def apply(model: ModelDefinition, loss: Loss): NNClassifier =
    new NNClassifier().setModel(model).setLoss(loss)
}
