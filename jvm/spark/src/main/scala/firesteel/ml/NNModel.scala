package firesteel.ml

import org.apache.spark.ml.util.{DefaultParamsReadable, MLReadable, MLReader}
import org.apache.spark.sql.types.{ArrayType, DataType, FloatType}

/** A trained network; its prediction is the output of a sample, flat, as `array<float>`. */
final class NNModel private[ml] (override val uid: String) extends NNModelBase[NNModel] {
  override protected def predictionType: DataType = NNModel.PredictionType
  override protected def prediction: Prediction = Prediction.Output
}

object NNModel extends MLReadable[NNModel] {
  private[ml] val PredictionType: DataType = ArrayType(FloatType, containsNull = false)

  override def read: MLReader[NNModel] = new NNModelReader(params.read)

  private object params extends DefaultParamsReadable[NNModel]
}
