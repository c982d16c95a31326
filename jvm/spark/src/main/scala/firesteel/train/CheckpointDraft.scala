package firesteel.train

import java.io.{IOException, OutputStream}

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.spark.util.SerializableConfiguration

import firesteel.jni.{NativeBuffer, NativeModel}

/**
 * A checkpoint that is being written: executors write its files, then the driver commits it.
 *
 * A file that is written twice, by a repeated task, has the same bytes both times.
 *
 * @param iteration number of iterations done
 */
private[train] final class CheckpointDraft(
    val iteration: Long,
    folder: String,
    blockBytes: Int,
    conf: SerializableConfiguration
) extends Serializable {

  /** The folder that becomes the checkpoint. */
  def path: Path = new Path(folder)

  /**
   * Writes the model file; the file and the weights' hash.
   *
   * @throws CheckpointException if it cannot be written
   */
  def writeWeights(model: NativeModel, weights: NativeBuffer): (CheckpointFile, String) = {
    val file = write(WeightsFile.Name)(WeightsFile.write(_, blockBytes, model, weights))
    (file, weights.sha256(model.parameterCount))
  }

  /**
   * Writes the optimizer's state of slice `n` of `of`.
   *
   * @param slots number of vectors of the state
   * @param state slot after slot, each as long as the slice
   * @throws CheckpointException if it cannot be written
   */
  def writeState(
      n: Int,
      of: Int,
      range: SliceRange,
      slots: Int,
      state: NativeBuffer
  ): StateSlice =
    write(StateFile.name(n, of))(StateFile.write(_, blockBytes, n, of, range, slots, state))

  /** Writes the manifest, the last file. */
  private[train] def writeManifest(
      identity: TrainingIdentity,
      state: TrainingState,
      weights: (CheckpointFile, String),
      slots: Int,
      slices: IndexedSeq[StateSlice]
  ): CheckpointManifest = {
    val (file, hash) = weights
    val manifest =
      CheckpointManifest(identity, state, blockBytes, file, hash, slots, slices)
    write(CheckpointManifest.Name)(_.write(manifest.toBytes))
    manifest
  }

  private def write[T](name: String)(body: OutputStream => T): T = {
    val file = new Path(path, name)
    try {
      val out = fileSystem.createFile(file).overwrite(true).build()
      try body(out)
      finally out.close()
    } catch {
      case e: IOException =>
        throw new CheckpointException(
          s"checkpoint file $file: expected to write it, got $e. Look at the space and the " +
            "permissions there.",
          Some(e)
        )
    }
  }

  private def fileSystem: FileSystem = path.getFileSystem(conf.value)
}
