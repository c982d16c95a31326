package firesteel.data

import java.nio.ByteOrder

import org.apache.spark.ml.linalg.SQLDataTypes
import org.apache.spark.sql.catalyst.expressions.{SpecializedGetters, UnsafeArrayData}
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.Platform

/**
 * Reads one value of a column from Spark's own row format and writes it as little-endian f32.
 *
 * No object is made per value: an `array<float>` is one memory copy.
 */
private[data] sealed abstract class ColumnReader extends Serializable {

  /** True if every value is a single float, whatever the row. */
  def scalar: Boolean = false

  /** Number of floats of the value, known only when a row is there. */
  def length(row: SpecializedGetters, ordinal: Int): Int

  /**
   * Writes the value's floats to `into` from byte `offset` on; there is room for
   * [[length]] of them.
   *
   * @return false if an element is null
   */
  def write(row: SpecializedGetters, ordinal: Int, into: Array[Byte], offset: Int): Boolean
}

private[data] object ColumnReader {

  /** What [[of]] reads, for messages. */
  val Expected = "an array of numbers, an ML vector, a number or a boolean"

  /** The reader of columns of this type, if there is one. */
  def of(dataType: DataType): Option[ColumnReader] = dataType match {
    case ArrayType(FloatType, _) => Some(FloatArray)
    case ArrayType(element, _) => NumberReader.of(element).map(new NumberArray(_))
    case vector: UserDefinedType[_] if vector.sqlType == vectorLayout => Some(MlVector)
    case scalar => NumberReader.of(scalar).map(new Scalar(_))
  }

  private val vectorLayout: DataType = SQLDataTypes.VectorType match {
    case vector: UserDefinedType[_] => vector.sqlType
    case other => other
  }

  require(
    ByteOrder.nativeOrder == ByteOrder.LITTLE_ENDIAN,
    s"firesteel: expected a little-endian machine, got ${ByteOrder.nativeOrder}. Use x86-64 or ARM."
  )

  /** Writes float `index` of the value that begins at `offset`. */
  private def put(into: Array[Byte], offset: Int, index: Int, value: Float): Unit =
    Platform.putFloat(into, (Platform.BYTE_ARRAY_OFFSET + offset).toLong + index * 4L, value)

  private object FloatArray extends ColumnReader {
    private val generic = new NumberArray(NumberReader.OfFloat)

    override def length(row: SpecializedGetters, ordinal: Int): Int =
      row.getArray(ordinal).numElements()

    override def write(
        row: SpecializedGetters,
        ordinal: Int,
        into: Array[Byte],
        offset: Int
    ): Boolean =
      row.getArray(ordinal) match {
        case array: UnsafeArrayData =>
          val count = array.numElements()
          val header = UnsafeArrayData.calculateHeaderPortionInBytes(count.toLong)
          Platform.copyMemory(
            array.getBaseObject,
            array.getBaseOffset + header,
            into,
            (Platform.BYTE_ARRAY_OFFSET + offset).toLong,
            count * 4L
          )
          !hasNull(array, header)
        case _ => generic.write(row, ordinal, into, offset)
      }

    /** The null bits stand between the number of elements (8 bytes) and the elements. */
    private def hasNull(array: UnsafeArrayData, header: Long): Boolean = {
      var at = 8L
      while (at < header) {
        if (Platform.getLong(array.getBaseObject, array.getBaseOffset + at) != 0) return true
        at += 8
      }
      false
    }
  }

  private final class NumberArray(element: NumberReader) extends ColumnReader {
    override def length(row: SpecializedGetters, ordinal: Int): Int =
      row.getArray(ordinal).numElements()

    override def write(
        row: SpecializedGetters,
        ordinal: Int,
        into: Array[Byte],
        offset: Int
    ): Boolean = {
      val array = row.getArray(ordinal)
      val count = array.numElements()
      var i = 0
      while (i < count) {
        if (array.isNullAt(i)) return false
        put(into, offset, i, element.read(array, i))
        i += 1
      }
      true
    }
  }

  /** Dense and sparse vectors: a struct of kind (0 is sparse), size, indices, values. */
  private object MlVector extends ColumnReader {
    private val (kind, size, indices, values) = (0, 1, 2, 3)

    override def length(row: SpecializedGetters, ordinal: Int): Int = {
      val vector = row.getStruct(ordinal, 4)
      if (vector.getByte(kind) == 0) vector.getInt(size) else vector.getArray(values).numElements()
    }

    override def write(
        row: SpecializedGetters,
        ordinal: Int,
        into: Array[Byte],
        offset: Int
    ): Boolean = {
      val vector = row.getStruct(ordinal, 4)
      val content = vector.getArray(values)
      if (vector.getByte(kind) == 0) {
        val bytes = vector.getInt(size) * 4
        java.util.Arrays.fill(into, offset, offset + bytes, 0.toByte)
        scatter(vector.getArray(indices), content, into, offset)
      } else {
        var i = 0
        while (i < content.numElements()) {
          put(into, offset, i, content.getDouble(i).toFloat)
          i += 1
        }
      }
      true
    }

    private def scatter(
        at: ArrayData,
        content: ArrayData,
        into: Array[Byte],
        offset: Int
    ): Unit = {
      var i = 0
      while (i < content.numElements()) {
        put(into, offset, at.getInt(i), content.getDouble(i).toFloat)
        i += 1
      }
    }
  }

  private final class Scalar(number: NumberReader) extends ColumnReader {
    override def scalar: Boolean = true

    override def length(row: SpecializedGetters, ordinal: Int): Int = 1

    override def write(
        row: SpecializedGetters,
        ordinal: Int,
        into: Array[Byte],
        offset: Int
    ): Boolean = {
      put(into, offset, 0, number.read(row, ordinal))
      true
    }
  }
}
