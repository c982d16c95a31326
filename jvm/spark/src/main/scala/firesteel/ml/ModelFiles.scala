package firesteel.ml

import java.io.{IOException, UncheckedIOException}

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import firesteel.train.ModelFile

/** Copies model files to and from Hadoop's file systems. */
private[ml] object ModelFiles {

  /** The model file of a stage saved at `path`. */
  def inStage(path: String): Path = new Path(path, "model.safetensors")

  /**
   * Writes a file under another name and renames it: it is there whole or not at all.
   *
   * @throws java.io.IOException if the file is there already or cannot be written
   */
  def write(spark: SparkSession, path: Path, file: ModelFile): Unit = {
    val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
    if (fs.exists(path)) {
      throw new IOException(
        s"model file $path: expected no such file, got one. Remove it or choose another path."
      )
    }
    val unfinished = new Path(path.getParent, s".${path.getName}.unfinished")
    val out = fs.create(unfinished, true)
    try file.copyTo(out)
    finally out.close()
    if (!fs.rename(unfinished, path)) {
      throw new IOException(
        s"model file $path: expected to rename $unfinished, got a refusal of the file system. " +
          "Choose another path."
      )
    }
  }

  /**
   * A copy of a file on this machine.
   *
   * @throws java.io.UncheckedIOException if it is not there or not a whole model file
   */
  def read(spark: SparkSession, path: Path): ModelFile =
    try {
      val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
      val bytes = fs.getFileStatus(path).getLen
      val in = fs.open(path)
      try ModelFile.copyOf(spark.sparkContext.getConf, bytes) { (from, into, offset, length) =>
          if (in.getPos != from) in.seek(from)
          in.readFully(into, offset, length)
        }
      finally in.close()
    } catch {
      case e: IOException => throw new UncheckedIOException(s"$path: ${e.getMessage}", e)
    }
}
