package firesteel.data

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types._

/** Reads a number of one Spark type from a row or an array, as f32 without boxing. */
private[data] abstract class NumberReader extends Serializable {
  def read(from: SpecializedGetters, ordinal: Int): Float
}

private[data] object NumberReader {

  val OfFloat: NumberReader = new NumberReader {
    override def read(from: SpecializedGetters, ordinal: Int): Float = from.getFloat(ordinal)
  }

  /** The reader of numbers of this type, if it is numeric or boolean (true is 1). */
  def of(dataType: DataType): Option[NumberReader] = dataType match {
    case FloatType => Some(OfFloat)
    case DoubleType => Some((from, ordinal) => from.getDouble(ordinal).toFloat)
    case ByteType => Some((from, ordinal) => from.getByte(ordinal).toFloat)
    case ShortType => Some((from, ordinal) => from.getShort(ordinal).toFloat)
    case IntegerType => Some((from, ordinal) => from.getInt(ordinal).toFloat)
    case LongType => Some((from, ordinal) => from.getLong(ordinal).toFloat)
    case BooleanType => Some((from, ordinal) => if (from.getBoolean(ordinal)) 1f else 0f)
    case decimal: DecimalType =>
      Some((from, ordinal) =>
        from.getDecimal(ordinal, decimal.precision, decimal.scale).toDouble.toFloat
      )
    case _ => None
  }
}
