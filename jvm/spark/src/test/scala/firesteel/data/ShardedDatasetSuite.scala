package firesteel.data

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._

import firesteel.SparkSuite

class ShardedDatasetSuite extends SparkSuite {
  private val columns = Seq("x" -> Features(Seq(2)), "label" -> ClassIndex(3))

  private def rows(spark: SparkSession, partitions: Int): DataFrame =
    spark
      .range(0, 1000, 1, partitions)
      .select(array(col("id").cast("float"), lit(0.5f)).as("x"), (col("id") % 3).as("label"))

  /** The records of each shard, sorted, as text. */
  private def shards(rows: DataFrame, count: Int): Seq[Seq[String]] = {
    val encoder = RowEncoder(rows.schema, columns)
    ShardedDataset(encoder.select(rows), encoder, count)
      .glom()
      .collect()
      .toSeq
      .map(_.toSeq.flatMap(_.grouped(encoder.recordBytes).map(_.mkString(","))).sorted)
  }

  test("every row is in exactly one shard") {
    withSpark("local[2]") { spark =>
      val all = shards(rows(spark, 3), 7)
      assert(all.length == 7)
      assert(all.flatten.distinct.length == 1000)
      assert(all.flatten.length == 1000)
      assert(all.forall(_.length > 100))
    }
  }

  test("a row's shard does not depend on partitions or order") {
    withSpark("local[2]") { spark =>
      val expected = shards(rows(spark, 1), 5)
      assert(shards(rows(spark, 6), 5) == expected)
      assert(shards(rows(spark, 4).orderBy(col("x").desc), 5) == expected)
    }
  }

  test("a shard may be empty") {
    withSpark("local[2]") { spark =>
      val few = shards(rows(spark, 2).limit(2), 50)
      assert(few.length == 50)
      assert(few.flatten.length == 2)
    }
  }

  test("chunks hold whole records, however large a record is") {
    val builder = new ChunkBuilder(recordBytes = 3 << 20, shards = 1)
    val full = (1 to 3).flatMap(_ => builder.add((into, offset) => into(offset) = 1))
    assert(full.map(_._2.length) == Seq.fill(3)(3 << 20))
    assert(builder.rest.isEmpty)
  }
}
