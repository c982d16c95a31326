package firesteel.data

import org.apache.spark.sql.{Dataset, Row}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.unsafe.Platform

/** What a column must hold: how many floats, and which values. */
sealed abstract class Content {

  /** Floats of one row. */
  def length: Int
}

/** Part of a sample: finite numbers of the given shape. */
final case class Features(shape: Seq[Int]) extends Content {
  override def length: Int = shape.product
}

/** The index of a class, `0, 1, …, classes - 1`. */
final case class ClassIndex(classes: Int) extends Content {
  override def length: Int = 1
}

/** Finite numbers to be predicted. */
final case class Target(shape: Seq[Int]) extends Content {
  override def length: Int = shape.product
}

/**
 * Turns rows into records: all columns' floats one after the other, f32, little endian.
 *
 * Types are checked when the encoder is made, before any job starts; nulls, lengths and values when
 * a row is encoded. Either way the error is a [[DataException]].
 */
final class RowEncoder private (columns: Array[EncodedColumn]) extends Serializable {

  /** The columns' names, in the order in which [[encode]] expects them. */
  val names: Seq[String] = columns.map(_.name).toSeq

  /** Bytes of a record. */
  val recordBytes: Int = columns.map(_.content.length).sum * 4

  /** The dataset reduced to the encoder's columns. */
  def select(dataset: Dataset[_]): Dataset[Row] =
    dataset.select(names.map(name => dataset.col(s"`$name`")): _*)

  /**
   * Writes the record of `row` to `into` from byte `offset` on.
   *
   * @param number the row's number in its partition, for messages
   * @throws DataException if the row has a null, a wrong length or a value out of range
   */
  def encode(
      row: InternalRow,
      partition: Int,
      number: Long,
      into: Array[Byte],
      offset: Int
  ): Unit = {
    var ordinal = 0
    var at = offset
    while (ordinal < columns.length) {
      val column = columns(ordinal)
      column.encode(row, ordinal, into, at).foreach { got =>
        throw new DataException(
          s"${column.who}, row $number of partition $partition: expected ${column.expected}, " +
            s"got $got. Repair or filter the row."
        )
      }
      at += column.content.length * 4
      ordinal += 1
    }
  }
}

object RowEncoder {

  /**
   * The encoder of these columns, in this order.
   *
   * @param columns name and content of each column
   * @throws DataException if a column is missing or of a type that holds no such content
   */
  def apply(schema: StructType, columns: Seq[(String, Content)]): RowEncoder =
    new RowEncoder(columns.map { case (name, content) =>
      val field = schema.find(_.name.equalsIgnoreCase(name)).getOrElse(
        throw new DataException(
          s"""column "$name": expected a column with ${EncodedColumn.describe(content)}, got """ +
            s"columns ${schema.fieldNames.mkString("[", ", ", "]")}. Name the right column."
        )
      )
      EncodedColumn(field.name, content, field.dataType)
    }.toArray)

  /**
   * What the feature columns must hold: one column per input of the model; or, for a model with a
   * single input, one column of numbers per element of the input.
   *
   * @param inputs shapes of the model's inputs, without the batch
   * @throws DataException if the number of columns fits neither way
   */
  def features(columns: Seq[String], inputs: Seq[Seq[Int]]): Seq[(String, Content)] =
    if (columns.length == inputs.length) {
      columns.zip(inputs.map(Features(_)))
    } else if (inputs.length == 1 && columns.length == inputs.head.product) {
      columns.map(_ -> Features(Seq(1)))
    } else {
      throw new DataException(
        s"features: expected a column for each of the model's ${inputs.length} inputs " +
          s"${inputs.map(_.mkString("[", ", ", "]")).mkString(", ")}, got " +
          s"${columns.mkString("[", ", ", "]")}. Name as many columns as there are inputs."
      )
    }
}

/** One column of a record. */
private[data] final class EncodedColumn(
    val name: String,
    val who: String,
    val content: Content,
    reader: ColumnReader
) extends Serializable {

  /** Writes the column's floats; what is wrong with the value, if anything is. */
  def encode(row: InternalRow, ordinal: Int, into: Array[Byte], offset: Int): Option[String] =
    if (row.isNullAt(ordinal)) {
      Some("null")
    } else {
      val length = reader.length(row, ordinal)
      if (length != content.length) {
        Some(s"$length ${if (length == 1) "value" else "values"}")
      } else if (!reader.write(row, ordinal, into, offset)) {
        Some("an array with a null in it")
      } else {
        wrongValue(into, offset)
      }
    }

  def expected: String = EncodedColumn.describe(content)

  private def wrongValue(into: Array[Byte], offset: Int): Option[String] = content match {
    case ClassIndex(classes) =>
      val label = valueAt(into, offset, 0)
      if (label >= 0 && label < classes && label == label.toInt) None else Some(label.toString)
    case _ =>
      var i = 0
      while (i < content.length) {
        if (!java.lang.Float.isFinite(valueAt(into, offset, i))) {
          return Some(s"${valueAt(into, offset, i)} as value $i")
        }
        i += 1
      }
      None
  }

  private def valueAt(into: Array[Byte], offset: Int, index: Int): Float =
    Platform.getFloat(into, (Platform.BYTE_ARRAY_OFFSET + offset).toLong + index * 4L)
}

private[data] object EncodedColumn {

  def apply(name: String, content: Content, dataType: DataType): EncodedColumn = {
    val who = s"""column "$name" (${dataType.simpleString})"""
    val reader = ColumnReader.of(dataType).getOrElse(
      throw new DataException(
        s"$who: expected ${ColumnReader.Expected} for ${describe(content)}, got " +
          s"${dataType.simpleString}. Cast the column or name another one."
      )
    )
    if (reader.scalar && content.length != 1) {
      throw new DataException(
        s"$who: expected ${describe(content)}, got a single number. Collect the numbers in an " +
          "array or vector column."
      )
    }
    new EncodedColumn(name, who, content, reader)
  }

  def describe(content: Content): String = content match {
    case Features(shape) => s"${numbers(content.length)} (input ${shape.mkString("[", ", ", "]")})"
    case ClassIndex(classes) => s"a class index 0 to ${classes - 1}"
    case Target(shape) => s"${numbers(content.length)} (output ${shape.mkString("[", ", ", "]")})"
  }

  private def numbers(length: Int): String =
    if (length == 1) "one finite number" else s"$length finite numbers"
}
