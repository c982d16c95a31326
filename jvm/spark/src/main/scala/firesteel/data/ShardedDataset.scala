package firesteel.data

import scala.collection.mutable.ArrayBuffer

import org.apache.spark.{Partitioner, TaskContext}
import org.apache.spark.rdd.{RDD, ShuffledRDD}
import org.apache.spark.sql.{classic, Dataset, Row}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.XXH64
import org.apache.spark.unsafe.Platform

/**
 * The rows of a DataFrame as chunks of records, one partition per shard.
 *
 * A row's shard is `XXH64(record) mod S`: it depends on the row alone, not on the partition or the
 * order it came in. One shuffle brings the chunks to their shards; its files are what an executor
 * reads them from again if it must, so the rows are in memory only once, in native memory.
 */
private[firesteel] object ShardedDataset {

  /**
   * Chunks of whole records; partition s holds those of shard s. Nothing runs until a task reads.
   *
   * @param rows columns in the encoder's order
   */
  def apply(rows: Dataset[Row], encoder: RowEncoder, shards: Int): RDD[Array[Byte]] = {
    val chunks = internalRows(rows).mapPartitions { partition =>
      encode(partition, encoder, shards)
    }
    new ShuffledRDD[Int, Array[Byte], Array[Byte]](chunks, new ShardPartitioner(shards)).values
  }

  /** The rows in Spark's own format; the column values are never turned into Scala objects. */
  private def internalRows(rows: Dataset[Row]): RDD[InternalRow] = rows match {
    case local: classic.Dataset[Row] => local.queryExecution.toRdd
    case other =>
      throw new UnsupportedOperationException(
        s"training: expected a DataFrame of a classic Spark session, got ${other.getClass.getName}. " +
          "Run the training where the Spark driver is, not over Spark Connect."
      )
  }

  private def encode(
      rows: Iterator[InternalRow],
      encoder: RowEncoder,
      shards: Int
  ): Iterator[(Int, Array[Byte])] = {
    val partition = TaskContext.getPartitionId()
    val chunks = new ChunkBuilder(encoder.recordBytes, shards)
    val full = rows.zipWithIndex.flatMap { case (row, number) =>
      chunks.add((into, offset) => encoder.encode(row, partition, number.toLong, into, offset))
    }
    full ++ chunks.rest
  }
}

/** Key s goes to partition s. */
private final class ShardPartitioner(override val numPartitions: Int) extends Partitioner {
  override def getPartition(key: Any): Int = key match {
    case shard: Int => shard
    case other => throw new IllegalArgumentException(s"shard: expected a number, got $other")
  }

  override def equals(other: Any): Boolean = other match {
    case that: ShardPartitioner => that.numPartitions == numPartitions
    case _ => false
  }

  override def hashCode: Int = numPartitions
}

/** Gathers records of a partition by shard; a full chunk is handed on. */
private[data] final class ChunkBuilder(recordBytes: Int, shards: Int) {
  import ChunkBuilder._

  private val recordsPerChunk =
    math.max(1, math.min(ChunkBytes, OpenBytes / shards) / math.max(1, recordBytes))
  private val record = new Array[Byte](recordBytes)
  private val chunks = ArrayBuffer.fill(shards)(Array.emptyByteArray)
  private val used = new Array[Int](shards)

  /** Adds the record that `write` writes; the chunk that became full, if one did. */
  def add(write: (Array[Byte], Int) => Unit): Option[(Int, Array[Byte])] = {
    write(record, 0)
    val shard = shardOf(record, shards)
    if (used(shard) == 0) chunks(shard) = new Array[Byte](recordsPerChunk * recordBytes)
    System.arraycopy(record, 0, chunks(shard), used(shard), recordBytes)
    used(shard) += recordBytes
    if (used(shard) < chunks(shard).length) {
      None
    } else {
      used(shard) = 0
      Some((shard, chunks(shard)))
    }
  }

  /** The chunks that are not full. */
  def rest: Iterator[(Int, Array[Byte])] =
    Iterator.range(0, shards).filter(used(_) > 0).map { shard =>
      (shard, java.util.Arrays.copyOf(chunks(shard), used(shard)))
    }
}

private[data] object ChunkBuilder {

  /** Bytes of a chunk, unless a record is larger. */
  private val ChunkBytes = 1 << 20

  /** Bytes of all chunks a task has open. */
  private val OpenBytes = 32 << 20

  def shardOf(record: Array[Byte], shards: Int): Int = {
    val hash = XXH64.hashUnsafeBytes(record, Platform.BYTE_ARRAY_OFFSET.toLong, record.length, 0L)
    java.lang.Long.remainderUnsigned(hash, shards.toLong).toInt
  }
}
