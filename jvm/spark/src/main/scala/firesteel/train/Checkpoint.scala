package firesteel.train

import java.io.IOException

import org.apache.hadoop.fs.Path
import org.apache.spark.util.SerializableConfiguration

import firesteel.jni.{NativeBuffer, NativeModel}

/**
 * A whole checkpoint; its driver knows the manifest, its executors read the files.
 *
 * @param folder where it is
 */
private[train] final class Checkpoint(
    folder: String,
    val manifest: CheckpointManifest,
    conf: SerializableConfiguration
) extends Serializable {

  /** Where it is. */
  def path: Path = new Path(folder)

  /**
   * Reads the weights.
   *
   * @param into the full vector
   * @throws CheckpointException if they are damaged, or not those of `model`
   */
  def readWeights(model: NativeModel, into: NativeBuffer): Unit = {
    reading(manifest.weights)(WeightsFile.read(_, manifest.weights, _, model, into))
    val hash = into.sha256(model.parameterCount)
    if (hash != manifest.weightsHash) {
      throw new CheckpointException(
        s"checkpoint $folder: expected weights with SHA-256 ${manifest.weightsHash}, got $hash. " +
          "Remove the folder to resume from the checkpoint before it."
      )
    }
  }

  /**
   * Reads the optimizer's state of a slice, however the state was cut when it was written.
   *
   * @param range the slice
   * @param slots number of vectors of the optimizer's state
   * @param into slot after slot, each as long as the slice
   * @throws CheckpointException if it is damaged, or the state of another optimizer or model
   */
  def readState(range: SliceRange, slots: Int, into: NativeBuffer): Unit = {
    if (slots != manifest.slots) {
      throw new CheckpointException(
        s"checkpoint $folder: expected the state of an optimizer with $slots vectors, got " +
          s"${manifest.slots}. Use the optimizer that it was written with."
      )
    }
    val end = manifest.slices.last.range.end
    if (range.end > end) {
      throw new CheckpointException(
        s"checkpoint $folder: expected the state of ${range.end} weights, got $end. Use the " +
          "model that it was written with."
      )
    }
    manifest.slices
      .filter(slice => slice.range.begin < range.end && range.begin < slice.range.end)
      .foreach { slice =>
        reading(slice.file)((_, reader) => StateFile.read(slice, reader, range, slots, into))
      }
  }

  private def reading(file: CheckpointFile)(body: (Path, CheckpointFileReader) => Unit): Unit = {
    val at = new Path(path, file.name)
    val reader =
      try new CheckpointFileReader(at.getFileSystem(conf.value), at, file, manifest.blockBytes)
      catch {
        case e: IOException =>
          throw new CheckpointException(
            s"checkpoint file $at: expected to read it, got $e. Look at the permissions there, " +
              s"or remove the folder $folder to resume from the checkpoint before it.",
            Some(e)
          )
      }
    try body(at, reader)
    finally reader.close()
  }
}
