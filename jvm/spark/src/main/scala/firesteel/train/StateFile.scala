package firesteel.train

import java.io.OutputStream
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.charset.StandardCharsets.UTF_8

import com.fasterxml.jackson.databind.node.ObjectNode

import firesteel.jni.NativeBuffer

/**
 * A file with the optimizer's state of one slice.
 *
 * @param range the slice
 */
private[train] final case class StateSlice(range: SliceRange, file: CheckpointFile)

/**
 * The optimizer's state of a slice as a safetensors file: one tensor of f32 per slot, `slot.0`,
 * `slot.1`, …, each as long as the slice, whose begin and end stand in the metadata.
 *
 * The state goes between file and native memory in small pieces.
 */
private[train] object StateFile {

  /** The name of the file of slice `n` of `of`. */
  def name(n: Int, of: Int): String = s"state-$n-of-$of.safetensors"

  /** Writes the file of slice `n` of `of`; `state` holds slot after slot. */
  def write(
      out: OutputStream,
      blockBytes: Int,
      n: Int,
      of: Int,
      range: SliceRange,
      slots: Int,
      state: NativeBuffer
  ): StateSlice = {
    val writer = new CheckpointFileWriter(out, name(n, of), blockBytes)
    writer.write(header(n, of, range, slots))
    writer.write(slots * range.bytes) { (done, into, offset, length) =>
      state.slice(done, length).get(into, offset, length)
    }
    StateSlice(range, writer.finish())
  }

  /** Reads what the file has of slice `wanted` to its place in the state of that slice. */
  def read(
      slice: StateSlice,
      reader: CheckpointFileReader,
      wanted: SliceRange,
      slots: Int,
      into: NativeBuffer
  ): Unit = {
    val begin = math.max(slice.range.begin, wanted.begin)
    val end = math.min(slice.range.end, wanted.end)
    val body = slice.file.bytes - slots * slice.range.bytes
    for (slot <- 0 until slots if begin < end) {
      val from = body + slot * slice.range.bytes + (begin - slice.range.begin) * 4
      val to = slot * wanted.bytes + (begin - wanted.begin) * 4
      reader.read(from, from + (end - begin) * 4) { (done, bytes, offset, length) =>
        into.slice(to + done, length).put(bytes, offset, length)
      }
    }
  }

  private def header(n: Int, of: Int, range: SliceRange, slots: Int): Array[Byte] = {
    val about = JsonFields.obj
      .put("slice", n)
      .put("of", of)
      .put("begin", range.begin)
      .put("end", range.end)
    val node = JsonFields.obj
    node.set[ObjectNode]("__metadata__", JsonFields.obj.put("firesteel", about.toString))
    for (slot <- 0 until slots) {
      val tensor = JsonFields.obj.put("dtype", "F32")
      tensor.putArray("shape").add(range.floats)
      tensor.putArray("data_offsets").add(slot * range.bytes).add((slot + 1) * range.bytes)
      node.set[ObjectNode](s"slot.$slot", tensor)
    }
    val json = node.toString.getBytes(UTF_8)
    // A header ends at a multiple of 8 bytes, as the format wants it.
    val length = (json.length + 7) / 8 * 8
    val bytes =
      ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length.toLong)
    bytes.put(json)
    while (bytes.hasRemaining) bytes.put(' '.toByte)
    bytes.array
  }
}
