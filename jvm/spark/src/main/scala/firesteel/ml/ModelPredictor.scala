package firesteel.ml

import java.nio.{ByteOrder, FloatBuffer}

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.firesteel.{BatchPredictor, PartitionPredictor}
import org.apache.spark.sql.types.DataType

import firesteel.data.RowEncoder
import firesteel.jni.{NativeBuffer, NativePredictor}
import firesteel.train.Closing

/**
 * What a model predicts for the rows of a partition.
 *
 * @param inputs shapes of the inputs, without the batch
 * @param output shape of the output, without the batch
 */
private[ml] final class ModelPredictor(
    uid: String,
    weightsHash: String,
    model: SentModel,
    encoder: RowEncoder,
    inputs: Seq[Seq[Int]],
    output: Seq[Int],
    batchSize: Int,
    override val dataType: DataType,
    prediction: Prediction
) extends BatchPredictor {

  override def features: Seq[String] = encoder.names

  override def open(context: TaskContext): PartitionPredictor = {
    val closing = new Closing
    context.addTaskCompletionListener[Unit](_ => closing.close())
    val key = PredictorKey(uid, weightsHash)
    val predictor = Predictors.acquire(key, model)
    closing.add[AutoCloseable](() => Predictors.release(key))
    new OpenModel(
      predictor,
      encoder,
      context.partitionId(),
      batchSize,
      inputs.map(_.product * 4),
      output.product,
      prediction,
      closing
    )
  }
}

/**
 * Gathers the rows of a batch in native memory, one buffer per input, and predicts them.
 *
 * @param inputBytes bytes of a sample of each input
 * @param outputs number of outputs of a sample
 */
private[ml] final class OpenModel(
    predictor: NativePredictor,
    encoder: RowEncoder,
    partition: Int,
    override val batchSize: Int,
    inputBytes: Seq[Int],
    outputs: Int,
    prediction: Prediction,
    closing: Closing
) extends PartitionPredictor {
  private val inputs = inputBytes.map(direct).toArray
  private val output = direct(outputs * 4)
  private val outputFloats: FloatBuffer = output.order(ByteOrder.nativeOrder).asFloatBuffer
  private val record = new Array[Byte](encoder.recordBytes)
  private var rows = 0
  private var rowNumber = 0L

  override def add(features: InternalRow): Unit = {
    encoder.encode(features, partition, rowNumber, record, 0)
    var from = 0
    inputs.zip(inputBytes).foreach { case (buffer, bytes) =>
      buffer.put(rows * bytes, record, from, bytes)
      from += bytes
    }
    rows += 1
    rowNumber += 1
  }

  override def predict(): IndexedSeq[Any] = {
    predictor.predict(inputs, rows, output)
    val predictions = (0 until rows).map { row =>
      prediction.of(outputFloats, row * outputs, outputs)
    }
    rows = 0
    predictions
  }

  private def direct(sampleBytes: Int) = {
    val bytes = Math.multiplyExact(sampleBytes, batchSize)
    closing.add(new NativeBuffer(bytes.toLong)).slice(0, bytes)
  }
}
