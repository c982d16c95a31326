package firesteel.data

import java.nio.{ByteBuffer, ByteOrder}

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._

import firesteel.SparkSuite
import firesteel.train.PlacedTasks

class RowEncoderSuite extends SparkSuite {
  private val shape = Features(Seq(3))

  /** Records of all rows as floats, in the order of the rows. */
  private def encode(rows: DataFrame, columns: (String, Content)*): Seq[Seq[Float]] = {
    val encoder = RowEncoder(rows.schema, columns)
    val chunks = ShardedDataset(encoder.select(rows.coalesce(1)), encoder, shards = 1)
    try {
      chunks.collect().toSeq.flatMap { chunk =>
        val floats = ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer
        Seq.fill(floats.remaining)(floats.get()).grouped(encoder.recordBytes / 4)
      }
    } catch {
      case e: SparkException => throw PlacedTasks.causeOf(e)
    }
  }

  private def refusal(rows: DataFrame, columns: (String, Content)*): String =
    intercept[DataException](encode(rows, columns: _*)).getMessage

  private def row(spark: SparkSession, expression: String): DataFrame =
    spark.range(1).select(expr(expression).as("x"))

  test("arrays, numbers and booleans become the same floats") {
    withSpark("local[2]") { spark =>
      Seq(
        "array(cast(1.5 as float), cast(-2 as float), cast(0.25 as float))",
        "array(cast(1.5 as double), cast(-2 as double), cast(0.25 as double))",
        "array(1.50, -2.00, 0.25)"
      ).foreach { expression =>
        assert(encode(row(spark, expression), "x" -> shape) == Seq(Seq(1.5f, -2f, 0.25f)))
      }
      assert(encode(row(spark, "array(1, 2, 3)"), "x" -> shape) == Seq(Seq(1f, 2f, 3f)))
      Seq("true", "1Y", "1S", "1", "1L", "1.0F", "1.0D", "1.0BD").foreach { expression =>
        assert(encode(row(spark, expression), "x" -> Features(Seq(1))) == Seq(Seq(1f)))
      }
    }
  }

  test("dense and sparse vectors become the same floats") {
    withSpark("local[2]") { spark =>
      val vectors = Seq(
        Vectors.dense(0, 2.5, 0),
        Vectors.sparse(3, Array(1), Array(2.5)),
        Vectors.dense(4, 5, 6)
      )
      val rows = spark.createDataFrame(vectors.map(Tuple1(_))).toDF("x")
      assert(
        encode(rows, "x" -> shape) == Seq(Seq(0f, 2.5f, 0f), Seq(0f, 2.5f, 0f), Seq(4f, 5f, 6f))
      )
    }
  }

  test("columns stand one after the other in the order given") {
    withSpark("local[2]") { spark =>
      val rows = spark.range(1).select(lit(7).as("label"), array(lit(1f), lit(2f)).as("x"))
      val columns = Seq("x" -> Features(Seq(2)), "label" -> ClassIndex(10))
      assert(encode(rows, columns: _*) == Seq(Seq(1f, 2f, 7f)))
    }
  }

  test("a missing column is named before any job starts") {
    withSpark("local[2]") { spark =>
      val message = intercept[DataException](
        RowEncoder(spark.range(1).schema, Seq("image" -> shape))
      ).getMessage
      assert(message.contains("""column "image": expected a column with 3 finite numbers"""))
      assert(message.contains("[id]"))
    }
  }

  test("a column of the wrong type is named before any job starts") {
    withSpark("local[2]") { spark =>
      Seq("'text'", "array('text')", "map(1, 2)", "current_date()").foreach { expression =>
        val schema = row(spark, expression).schema
        val message = intercept[DataException](RowEncoder(schema, Seq("x" -> shape))).getMessage
        assert(message.startsWith("column \"x\""), message)
        assert(message.contains("Cast the column"), message)
      }
      val number = row(spark, "1").schema
      assert(
        intercept[DataException](RowEncoder(number, Seq("x" -> shape))).getMessage
          .contains("got a single number")
      )
    }
  }

  test("a null, a null inside, and a wrong length are named with their row") {
    withSpark("local[2]") { spark =>
      val nulls = row(spark, "cast(null as array<float>)")
      assert(refusal(
        nulls,
        "x" -> shape
      ).contains("row 0 of partition 0: expected 3 finite numbers"))
      assert(refusal(nulls, "x" -> shape).contains("got null"))
      Seq("float", "double").foreach { kind =>
        val inside = row(spark, s"array(cast(1 as $kind), cast(null as $kind), cast(2 as $kind))")
        assert(refusal(inside, "x" -> shape).contains("got an array with a null in it"))
      }
      assert(refusal(row(spark, "array(1F, 2F)"), "x" -> shape).contains("got 2 values"))
    }
  }

  test("NaN and infinity are named with their place") {
    withSpark("local[2]") { spark =>
      Seq("NaN", "Infinity").foreach { value =>
        val bad = row(spark, s"array(1F, float('$value'), 3F)")
        assert(refusal(bad, "x" -> shape).contains(s"got $value as value 1"))
      }
    }
  }

  test("a label out of range is named with the range") {
    withSpark("local[2]") { spark =>
      Seq("10", "-1", "0.5D", "double('NaN')").foreach { label =>
        val message = refusal(row(spark, label), "x" -> ClassIndex(10))
        assert(message.contains("expected a class index 0 to 9"), message)
      }
    }
  }

  test("feature columns fit the inputs, or the elements of the single input") {
    assert(RowEncoder.features(Seq("x"), Seq(Seq(2, 2))) == Seq("x" -> Features(Seq(2, 2))))
    assert(RowEncoder.features(Seq("a", "b"), Seq(Seq(2))).forall(_._2 == Features(Seq(1))))
    val message =
      intercept[DataException](RowEncoder.features(Seq("a", "b"), Seq(Seq(3)))).getMessage
    assert(message.contains("inputs [3], got [a, b]"), message)
  }
}
