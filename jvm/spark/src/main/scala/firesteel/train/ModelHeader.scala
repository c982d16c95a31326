package firesteel.train

import java.io.IOException
import java.nio.{ByteBuffer, ByteOrder}

/** What lies before the weights in a model file: the length of the rest, and JSON. */
private[train] object ModelHeader {

  /** A longer header is taken for damaged; the bound is that of the safetensors format. */
  private val MaxBytes = 100000000L

  /**
   * The header of a file; or what the file has in its place.
   *
   * @param bytes length of the file
   * @param read the bytes `begin until end` of the file
   */
  def read(bytes: Long)(read: (Long, Long) => Array[Byte]): Either[String, Array[Byte]] =
    if (bytes < 8) Left(s"$bytes bytes")
    else {
      val length = ByteBuffer.wrap(read(0, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong
      if (length < 0 || length > math.min(MaxBytes, bytes - 8)) Left(s"a header of $length bytes")
      else Right(read(0, 8 + length))
    }

  /**
   * The definition of the model, as JSON.
   *
   * @throws java.io.IOException if there is none
   */
  def definition(header: Array[Byte]): String = {
    val tree = JsonFields.Mapper.readTree(header, 8, header.length - 8)
    val stamp = JsonFields.Mapper.readTree(tree.path("__metadata__").path("firesteel").asText)
    val definition = stamp.path("definition")
    if (!definition.isObject) {
      throw new IOException(
        "model file: expected the definition of a model in its metadata, got none. Pass a file " +
          "that firesteel saved."
      )
    }
    definition.toString
  }
}
