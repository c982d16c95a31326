package firesteel.ml

import java.io.IOException

import org.apache.hadoop.fs.Path
import org.apache.hadoop.io.IOUtils
import org.apache.spark.sql.SparkSession

/** Reads and writes model files through Hadoop's file systems. */
private[ml] object ModelFiles {

  /** The model file of a stage saved at `path`. */
  def inStage(path: String): Path = new Path(path, "model.safetensors")

  /**
   * Writes a file under another name and renames it: it is there whole or not at all.
   *
   * @throws java.io.IOException if the file is there already or cannot be written
   */
  def write(spark: SparkSession, path: Path, bytes: Array[Byte]): Unit = {
    val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
    if (fs.exists(path)) {
      throw new IOException(
        s"model file $path: expected no such file, got one. Remove it or choose another path."
      )
    }
    val unfinished = new Path(path.getParent, s".${path.getName}.unfinished")
    val out = fs.create(unfinished, true)
    try out.write(bytes)
    finally out.close()
    if (!fs.rename(unfinished, path)) {
      throw new IOException(
        s"model file $path: expected to rename $unfinished, got a refusal of the file system. " +
          "Choose another path."
      )
    }
  }

  /**
   * Reads a whole file.
   *
   * @throws java.io.IOException if it is not there or too large for an array (2 GiB)
   */
  def read(spark: SparkSession, path: Path): Array[Byte] = {
    val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
    val length = fs.getFileStatus(path).getLen
    if (length > Int.MaxValue - 8) {
      throw new IOException(
        s"model file $path: expected at most ${Int.MaxValue - 8} bytes, got $length. Load it with " +
          "InferenceModel."
      )
    }
    val bytes = new Array[Byte](length.toInt)
    val in = fs.open(path)
    try IOUtils.readFully(in, bytes, 0, bytes.length)
    finally in.close()
    bytes
  }
}
