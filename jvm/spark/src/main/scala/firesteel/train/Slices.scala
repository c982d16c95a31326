package firesteel.train

import java.nio.ByteBuffer
import java.util.UUID

/** Where an executor receives slices. */
final case class Address(host: String, port: Int)

/** What a slice is a part of. */
private[train] sealed abstract class SliceKind(val code: Byte)

private[train] object SliceKind {

  /** The weights of an iteration. */
  case object Weights extends SliceKind(1)

  /** The gradient of a subtree of shards. */
  case object Gradient extends SliceKind(2)

  /** Nothing but the wish that the group which began with the iteration stops. */
  case object Stop extends SliceKind(3)

  def of(code: Byte): Option[SliceKind] = Seq(Weights, Gradient, Stop).find(_.code == code)
}

/** A subtree of the shards, `[first, first + 2^level)`: one gradient of a task. */
private[train] final case class Root(first: Int, level: Int)

private[train] object Root {

  /** From pairs of first and level, the form in which they cross the boundary. */
  def fromPairs(pairs: Array[Int]): Seq[Root] =
    pairs.grouped(2).map(pair => Root(pair(0), pair(1))).toSeq
}

/**
 * The name of a slice; a slice never changes.
 *
 * @param iteration whose weights or gradient it is
 * @param slice its number, that of the task that owns it
 * @param root the subtree of a gradient; of weights, the subtree of no shard
 */
private[train] final case class SliceName(
    kind: SliceKind,
    iteration: Long,
    slice: Int,
    root: Root = SliceName.NoRoot
)

private[train] object SliceName {
  val NoRoot: Root = Root(-1, 0)
}

/** What goes ahead of a slice on the wire; the connection says of which training it is. */
private[train] final case class SliceHeader(name: SliceName) {

  /** The wire form, big endian. */
  def encode: ByteBuffer = {
    val buffer = ByteBuffer.allocate(SliceHeader.Length)
    buffer.putInt(SliceHeader.Magic)
    buffer.put(name.kind.code).putLong(name.iteration).putInt(name.slice)
    buffer.putInt(name.root.first).putInt(name.root.level)
    buffer.flip()
  }
}

private[train] object SliceHeader {
  private val Magic = 0x46535832
  private val Length = 4 + 1 + 8 + 3 * 4

  /**
   * Reads a header.
   *
   * @throws java.lang.IllegalArgumentException if it is none
   */
  def decode(header: ByteBuffer): SliceHeader = {
    def refuse(got: String): Nothing = throw new IllegalArgumentException(
      s"firesteel exchange: expected a slice header, got $got. Use one version on all executors."
    )
    if (header.remaining != Length) refuse(s"${header.remaining} bytes")
    val magic = header.getInt
    if (magic != Magic) refuse(f"magic $magic%08x")
    val code = header.get
    val kind = SliceKind.of(code).getOrElse(refuse(s"kind $code"))
    val (iteration, slice) = (header.getLong, header.getInt)
    SliceHeader(SliceName(kind, iteration, slice, Root(header.getInt, header.getInt)))
  }
}

/** Takes the slices that arrive at this executor. */
trait SliceReceiver {

  /**
   * The secret of a training, if this executor takes part in it: who does not know it gets no
   * connection.
   */
  def secret(training: UUID): Option[UUID]

  /**
   * Where the slice with this header goes.
   *
   * @param training to which the connection belongs
   * @param bytes length of the slice
   * @throws java.lang.IllegalArgumentException if the header is not that of a slice; the connection
   *     is closed then
   */
  def open(training: UUID, header: ByteBuffer, bytes: Long): SliceSink
}

/** Takes one slice; either [[complete]] or [[abort]] is called, once. */
trait SliceSink {

  /** The next bytes. */
  def write(data: ByteBuffer): Unit

  /** All bytes were written; throws if the slice is refused, and the sender is told. */
  def complete(): Unit

  /** The sender broke off. */
  def abort(): Unit
}
