package firesteel.train

import firesteel.jni.NativeBuffer

/**
 * A range of a native buffer on the Java heap, in arrays of a few MB: what Spark broadcasts, and
 * what its tasks return.
 */
private[train] final class Pieces private (arrays: Array[Array[Byte]]) extends Serializable {

  /** Writes it all to `into`, from the byte `offset` on. */
  def copyTo(into: NativeBuffer, offset: Long): Unit = {
    var at = offset
    arrays.foreach { array =>
      into.slice(at, array.length).put(array)
      at += array.length
    }
  }
}

private[train] object Pieces {

  /** Bytes of a piece. */
  private val Bytes = 8 << 20

  /** The `bytes` bytes of `from` that begin with the byte `offset`. */
  def of(from: NativeBuffer, offset: Long, bytes: Long): Pieces =
    new Pieces(ranges(bytes).map(range => array(from, offset + range.begin, range.length)).toArray)

  /** Begin and length in bytes of each piece. */
  def ranges(bytes: Long): Seq[Piece] =
    (0L until bytes by Bytes.toLong).map { begin =>
      Piece(begin, math.min(Bytes.toLong, bytes - begin).toInt)
    }

  /** A copy of `length` bytes. */
  def array(from: NativeBuffer, offset: Long, length: Int): Array[Byte] = {
    val bytes = new Array[Byte](length)
    from.slice(offset, length).get(bytes)
    bytes
  }
}

/** Where a piece begins, and its length, in bytes. */
private[train] final case class Piece(begin: Long, length: Int)
