package firesteel.train

import java.io.{IOException, OutputStream}

import org.apache.hadoop.fs.Path

import firesteel.jni.{NativeBuffer, NativeModel}

/**
 * The model file of a checkpoint: any tool that knows safetensors reads its weights, and
 * `InferenceModel` opens it.
 *
 * The weights go between file and native memory in small pieces; no array is as large as the model.
 */
private[train] object WeightsFile {
  val Name = "model.safetensors"

  /** Writes the file with these weights. */
  def write(
      out: OutputStream,
      blockBytes: Int,
      model: NativeModel,
      weights: NativeBuffer
  ): CheckpointFile = {
    val writer = new CheckpointFileWriter(out, Name, blockBytes)
    writer.write(model.fileHeader())
    writer.write(model.parameterCount * 4) { (done, into, offset, length) =>
      weights.slice(done, length).get(into, offset, length)
    }
    writer.finish()
  }

  /**
   * Reads the weights of a file into native memory.
   *
   * @param path of the file
   * @throws CheckpointException if it is damaged or does not hold weights of `model`
   */
  def read(
      path: Path,
      file: CheckpointFile,
      reader: CheckpointFileReader,
      model: NativeModel,
      into: NativeBuffer
  ): Unit = {
    def refuse(got: String, cause: Option[Throwable]): Nothing = throw new CheckpointException(
      s"checkpoint file $path: expected weights of this model, got $got. Choose another folder " +
        "for the checkpoints, or train the model that it holds.",
      cause
    )
    val header = ModelHeader.read(file.bytes)(reader.bytes).fold(refuse(_, None), identity)
    val body = header.length.toLong
    val ranges =
      try model.locate(header, file.bytes)
      catch { case e: IOException => refuse(e.getMessage, Some(e)) }
    var to = 0L
    ranges.grouped(2).foreach { range =>
      reader.read(body + range(0), body + range(1)) { (done, from, offset, length) =>
        into.slice(to + done, length).put(from, offset, length)
      }
      to += range(1) - range(0)
    }
  }
}
