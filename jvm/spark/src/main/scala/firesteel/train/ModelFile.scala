package firesteel.train

import java.io.{DataInputStream, IOException, OutputStream}
import java.lang.ref.{Cleaner, Reference}
import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.util.HexFormat

import org.apache.spark.SparkConf
import org.apache.spark.firesteel.LocalFiles

import firesteel.Conf
import firesteel.jni.NativeModel

/**
 * A trained model on the driver: a safetensors file on its local disk, in `spark.local.dir`.
 *
 * Weights come and go in pieces (`spark.firesteel.model.piece`), so a model may be larger than the
 * driver's heap. The file is deleted when nothing refers to this object any more, or the JVM ends.
 *
 * @param path where it lies; do not change it
 * @param definition the network, as JSON
 * @param inputShapes shapes of one sample of each input, without the batch
 * @param outputShape shape of one sample of the output, without the batch
 * @param weightsHash SHA-256 of the weights: equal hashes are equal bits
 */
final class ModelFile private (
    val path: Path,
    val definition: String,
    val inputShapes: Seq[Seq[Int]],
    val outputShape: Seq[Int],
    val weightsHash: String,
    headerBytes: Int,
    parameterCount: Long
) {
  ModelFile.cleaner.register(this, new ModelFile.Deletion(path))

  /** Length in bytes. */
  def bytes: Long = headerBytes + parameterCount * 4

  /**
   * Writes the whole file.
   *
   * @throws java.io.IOException if it cannot be read or written
   */
  def copyTo(out: OutputStream): Unit = whileHere { Files.copy(path, out); () }

  /** What `use` makes of the weights, so many at a time: the bytes of floats, little endian. */
  private[firesteel] def mapPieces[T](floats: Int)(use: Array[Byte] => T): Seq[T] = whileHere {
    val in = new DataInputStream(Files.newInputStream(path))
    try {
      in.skipNBytes(headerBytes.toLong)
      ModelFile
        .pieces(parameterCount, floats)
        .map { piece =>
          val bytes = new Array[Byte](piece.bytes.toInt)
          in.readFully(bytes)
          use(bytes)
        }
        .toVector
    } finally in.close()
  }

  private def whileHere[T](use: => T): T =
    try use
    finally Reference.reachabilityFence(this)
}

private[firesteel] object ModelFile {
  private val cleaner = Cleaner.create()
  private val (prefix, suffix) = ("firesteel-model-", ".safetensors")

  private final class Deletion(path: Path) extends Runnable {
    override def run(): Unit = {
      Files.deleteIfExists(path)
      ()
    }
  }

  /** Number of weights that travel at once. */
  def pieceFloats(conf: SparkConf): Int = Conf.ModelPiece.get(conf).getOrElse(8 << 20)

  /**
   * A file with the weights that `read` brings, piece by piece in their order: the bytes of floats,
   * little endian.
   *
   * @throws java.io.IOException if it cannot be written
   */
  private[train] def create(conf: SparkConf, model: NativeModel)(
      read: SliceRange => Array[Byte]
  ): ModelFile = {
    val path = PrivateSpark
      .ifLinked("file in spark.local.dir")(LocalFiles.create(conf, prefix, suffix))
      .getOrElse(Files.createTempFile(prefix, suffix))
    try {
      val header = model.fileHeader()
      val digest = MessageDigest.getInstance("SHA-256")
      val out = Files.newOutputStream(path)
      try {
        out.write(header)
        pieces(model.parameterCount, pieceFloats(conf)).foreach { piece =>
          val bytes = read(piece)
          digest.update(bytes)
          out.write(bytes)
        }
      } finally out.close()
      new ModelFile(
        path,
        model.definition,
        model.inputShapes.map(_.toSeq).toSeq,
        model.outputShape.toSeq,
        HexFormat.of.formatHex(digest.digest()),
        header.length,
        model.parameterCount
      )
    } catch {
      case e: Throwable =>
        Files.deleteIfExists(path)
        throw e
    }
  }

  /**
   * A copy of a model file that lies elsewhere.
   *
   * @param bytes its length
   * @param read reads from a position of it into the array's range of this offset and length
   * @throws java.io.IOException if it is not a whole model file
   */
  def copyOf(conf: SparkConf, bytes: Long)(
      read: (Long, Array[Byte], Int, Int) => Unit
  ): ModelFile = {
    def range(begin: Long, end: Long): Array[Byte] = {
      val into = new Array[Byte](Math.toIntExact(end - begin))
      read(begin, into, 0, into.length)
      into
    }
    def refuse(got: String, cause: Throwable): Nothing =
      throw new IOException(
        s"model file: expected a whole one, got $got. Copy it again, or save the model again.",
        cause
      )
    val header = ModelHeader.read(bytes)(range).fold(refuse(_, null), identity)
    val closing = new Closing
    try {
      val model =
        try closing.add(NativeModel.define(ModelHeader.definition(header)))
        catch { case e: IllegalArgumentException => refuse(e.getMessage, e) }
      val extents = Extent.of(model.locate(header, bytes))
      create(conf, model) { piece =>
        val into = new Array[Byte](piece.bytes.toInt)
        for (extent <- extents; part <- extent.floats.intersect(piece)) {
          val from = header.length + extent.offset + (part.begin - extent.floats.begin) * 4
          read(from, into, ((part.begin - piece.begin) * 4).toInt, part.bytes.toInt)
        }
        into
      }
    } finally closing.close()
  }

  /** A range of the flat vector that lies in one piece, `offset` bytes behind a file's header. */
  private final case class Extent(floats: SliceRange, offset: Long) {
    def end: Long = offset + floats.bytes
  }

  private object Extent {

    /** The extents of a file, from begin and end of each parameter; what adjoins is one. */
    def of(ends: Array[Long]): Seq[Extent] =
      ends.grouped(2).foldLeft(List.empty[Extent]) { (before, range) =>
        val from = before.headOption.fold(0L)(_.floats.end)
        val to = from + (range(1) - range(0)) / 4
        before match {
          case last :: others if last.end == range(0) =>
            Extent(SliceRange(last.floats.begin, to), last.offset) :: others
          case others => Extent(SliceRange(from, to), range(0)) :: others
        }
      }
  }

  /** Ranges of so many floats that cover a vector. */
  private[train] def pieces(count: Long, floats: Int): Iterator[SliceRange] =
    Iterator
      .iterate(0L)(_ + floats)
      .takeWhile(_ < count)
      .map(begin => SliceRange(begin, math.min(begin + floats, count)))
}
