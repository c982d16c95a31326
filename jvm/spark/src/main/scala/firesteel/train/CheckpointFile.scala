package firesteel.train

import java.io.{EOFException, IOException, OutputStream}
import java.security.MessageDigest
import java.util.HexFormat

import scala.collection.mutable

import org.apache.hadoop.fs.{FileSystem, FSDataInputStream, Path}

/**
 * A file of a checkpoint as its manifest knows it.
 *
 * @param name name within the checkpoint's folder
 * @param bytes length
 * @param blocks SHA-256 of each block of the file, so that any part of it can be read and checked
 */
private[train] final case class CheckpointFile(
    name: String,
    bytes: Long,
    blocks: IndexedSeq[String]
)

/** Writes a file of a checkpoint; `blockBytes` at a time are hashed and written. */
private[train] final class CheckpointFileWriter(out: OutputStream, name: String, blockBytes: Int) {
  private val block = new Array[Byte](blockBytes)
  private val hashes = mutable.ArrayBuffer.empty[String]
  private var filled = 0
  private var written = 0L

  /** Adds `bytes` bytes; `copy` puts some of them where it is told to: array, offset, length. */
  def write(bytes: Long)(copy: (Long, Array[Byte], Int, Int) => Unit): Unit = {
    var done = 0L
    while (done < bytes) {
      val length = math.min(bytes - done, (blockBytes - filled).toLong).toInt
      copy(done, block, filled, length)
      filled += length
      done += length
      if (filled == blockBytes) flush()
    }
  }

  /** Adds these bytes. */
  def write(bytes: Array[Byte]): Unit =
    write(bytes.length.toLong) { (done, into, offset, length) =>
      System.arraycopy(bytes, done.toInt, into, offset, length)
    }

  /** Writes what is left; the file. */
  def finish(): CheckpointFile = {
    if (filled > 0) flush()
    CheckpointFile(name, written, hashes.toIndexedSeq)
  }

  private def flush(): Unit = {
    hashes += CheckpointFileReader.hash(block, filled)
    out.write(block, 0, filled)
    written += filled
    filled = 0
  }
}

/**
 * Reads any part of a file of a checkpoint, and checks each block that it touches.
 *
 * @param path of the file
 * @param blockBytes length of a block, that of the writer
 */
private[train] final class CheckpointFileReader(
    fs: FileSystem,
    path: Path,
    file: CheckpointFile,
    blockBytes: Int
) extends AutoCloseable {
  private val in: FSDataInputStream = fs.open(path)
  private val block = new Array[Byte](blockBytes)
  private var current = -1L

  /**
   * Reads the bytes `begin until end`; `take` gets some of them at a time: how many it had before,
   * array, offset, length.
   *
   * @throws CheckpointException if the file is shorter than it should be, or holds other bytes
   */
  def read(begin: Long, end: Long)(take: (Long, Array[Byte], Int, Int) => Unit): Unit = {
    var at = begin
    while (at < end) {
      load(at / blockBytes)
      val offset = (at % blockBytes).toInt
      val length = math.min(end - at, (blockBytes - offset).toLong).toInt
      take(at - begin, block, offset, length)
      at += length
    }
  }

  /** The bytes `begin until end`. */
  def bytes(begin: Long, end: Long): Array[Byte] = {
    val all = new Array[Byte](Math.toIntExact(end - begin))
    read(begin, end)((done, from, offset, length) =>
      System.arraycopy(from, offset, all, done.toInt, length)
    )
    all
  }

  override def close(): Unit = in.close()

  private def load(index: Long): Unit = if (index != current) {
    val begin = index * blockBytes
    val length = math.min(blockBytes.toLong, file.bytes - begin).toInt
    try {
      if (in.getPos != begin) in.seek(begin)
      in.readFully(block, 0, length)
    } catch {
      case e: EOFException => refuse(s"${file.bytes} bytes", "fewer", Some(e))
      case e: IOException =>
        refuse(s"to read byte $begin to ${begin + length}", e.toString, Some(e))
    }
    val (expected, got) = (file.blocks(index.toInt), CheckpointFileReader.hash(block, length))
    if (got != expected) {
      refuse(s"SHA-256 $expected of bytes $begin to ${begin + length}", got, None)
    }
    current = index
  }

  private def refuse(expected: String, got: String, cause: Option[Throwable]): Nothing =
    throw new CheckpointException(
      s"checkpoint file $path: expected $expected, got $got. It is damaged: copy it again, or " +
        s"remove the folder ${path.getParent} to resume from the checkpoint before it.",
      cause
    )
}

private[train] object CheckpointFileReader {

  /** SHA-256 of the first `length` bytes. */
  def hash(bytes: Array[Byte], length: Int): String = {
    val digest = MessageDigest.getInstance("SHA-256")
    digest.update(bytes, 0, length)
    HexFormat.of.formatHex(digest.digest())
  }
}
