package firesteel.ml

import java.nio.FloatBuffer

import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData

/** Makes the value of the prediction column from the outputs of a sample. */
private[ml] sealed abstract class Prediction extends Serializable {

  /** The Catalyst value of the `length` outputs from `begin` on. */
  def of(outputs: FloatBuffer, begin: Int, length: Int): Any
}

private[ml] object Prediction {

  /** All outputs. */
  case object Output extends Prediction {
    override def of(outputs: FloatBuffer, begin: Int, length: Int): Any = {
      val values = new Array[Float](length)
      outputs.get(begin, values)
      UnsafeArrayData.fromPrimitiveArray(values)
    }
  }

  /** The index of the largest output. */
  case object LargestOutput extends Prediction {
    override def of(outputs: FloatBuffer, begin: Int, length: Int): Any = {
      var best = 0
      var i = 1
      while (i < length) {
        if (outputs.get(begin + i) > outputs.get(begin + best)) best = i
        i += 1
      }
      best.toDouble
    }
  }
}
