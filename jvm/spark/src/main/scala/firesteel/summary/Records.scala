package firesteel.summary

import java.io.{DataInputStream, EOFException, InputStream, OutputStream}
import java.nio.{ByteBuffer, ByteOrder}
import java.util.zip.CRC32C

/**
 * The frames of an event file, TensorFlow's `TFRecord`:
 *
 * {{{
 * length: u64 | checksum of the length: u32 | bytes | checksum of the bytes: u32
 * }}}
 *
 * in little endian; a checksum is CRC-32C, rotated and shifted ("masked").
 */
private[summary] object Records {
  private val HeaderBytes = 12
  private val FooterBytes = 4
  private val MaskDelta = 0xa282ead8

  /** Writes one frame. */
  def write(out: OutputStream, bytes: Array[Byte]): Unit = {
    val frame = ByteBuffer
      .allocate(HeaderBytes + bytes.length + FooterBytes)
      .order(ByteOrder.LITTLE_ENDIAN)
    frame.putLong(bytes.length.toLong)
    frame.putInt(checksum(frame.array, 0, 8))
    frame.put(bytes)
    frame.putInt(checksum(bytes, 0, bytes.length))
    out.write(frame.array)
  }

  /** The whole frames at the beginning; a crash may have left a part of one at the end. */
  def read(in: InputStream): Iterator[Array[Byte]] = {
    val data = new DataInputStream(in)
    Iterator.continually(next(data)).takeWhile(_.isDefined).flatten
  }

  private def next(in: DataInputStream): Option[Array[Byte]] =
    try {
      val header = new Array[Byte](HeaderBytes)
      in.readFully(header)
      val fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN)
      val length = fields.getLong
      if (fields.getInt != checksum(header, 0, 8)) {
        None
      } else {
        val body = in.readNBytes(Math.toIntExact(length))
        val footer = new Array[Byte](FooterBytes)
        in.readFully(footer)
        val expected = ByteBuffer.wrap(footer).order(ByteOrder.LITTLE_ENDIAN).getInt
        Some(body).filter(_ => expected == checksum(body, 0, body.length))
      }
    } catch {
      case _: EOFException => None
    }

  private def checksum(bytes: Array[Byte], offset: Int, length: Int): Int = {
    val crc = new CRC32C
    crc.update(bytes, offset, length)
    Integer.rotateRight(crc.getValue.toInt, 15) + MaskDelta
  }
}
