package firesteel.ml

import org.apache.spark.ml.util.{DefaultParamsReadable, MLReadable, MLReader}
import org.apache.spark.sql.types.{DataType, DoubleType}

/**
 * A trained classifier; its prediction is the index of the largest output, counted from 0, as a
 * double (the first of several equal ones).
 */
final class NNClassifierModel private[ml] (override val uid: String)
    extends NNModelBase[NNClassifierModel] {
  override protected def predictionType: DataType = NNClassifierModel.PredictionType
  override protected def prediction: Prediction = Prediction.LargestOutput
}

object NNClassifierModel extends MLReadable[NNClassifierModel] {
  private[ml] val PredictionType: DataType = DoubleType

  override def read: MLReader[NNClassifierModel] = new NNModelReader(params.read)

  private object params extends DefaultParamsReadable[NNClassifierModel]
}
