package firesteel.ml

import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast

import firesteel.jni.{NativeBuffer, NativeModel, NativePredictor}
import firesteel.train.{Closing, ModelFile}

/**
 * A model on its way to the executors: its weights are broadcast in pieces, so that nobody holds
 * all of them in one array. Spark forgets the pieces when nothing refers to them any more.
 */
private[ml] final class SentModel private (definition: String, pieces: Seq[Broadcast[Array[Byte]]])
    extends Serializable {

  /** A predictor with a copy of the weights in native memory. */
  def open(): NativePredictor = {
    val closing = new Closing
    try {
      val model = closing.add(NativeModel.define(definition))
      val weights = closing.add(new NativeBuffer(model.parameterCount * 4))
      pieces.foldLeft(0L) { (begin, piece) =>
        val bytes = piece.value
        weights.slice(begin, bytes.length).put(bytes)
        begin + bytes.length
      }
      new NativePredictor(model, weights, Runtime.getRuntime.availableProcessors)
    } finally closing.close()
  }
}

private[ml] object SentModel {

  /** Sends a model to the executors that will ask for it. */
  def apply(sc: SparkContext, file: ModelFile): SentModel = {
    val pieces = file.mapPieces(ModelFile.pieceFloats(sc.getConf))(sc.broadcast(_))
    new SentModel(file.definition, pieces)
  }
}
