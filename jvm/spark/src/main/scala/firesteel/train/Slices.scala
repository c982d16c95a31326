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

  /** One slot of the optimizer's state before an iteration. */
  case object State extends SliceKind(3)

  /** What a slice adds to the sums over the vector that some optimizers need, in f64. */
  case object Sums extends SliceKind(4)

  /** Nothing but the wish that the group which began with the iteration stops. */
  case object Stop extends SliceKind(5)

  private val All = Seq(Weights, Gradient, State, Sums, Stop)

  def of(code: Byte): Option[SliceKind] = All.find(_.code == code)
}

/** A subtree of the shards, `[first, first + 2^level)`: one gradient of a member. */
private[train] final case class Root(first: Int, level: Int)

private[train] object Root {

  /** From pairs of first and level, the form in which they cross the boundary. */
  def fromPairs(pairs: Array[Int]): Seq[Root] =
    pairs.grouped(2).map(pair => Root(pair(0), pair(1))).toSeq
}

/** A subtree and the member that has its gradient. */
private[train] final case class OwnedRoot(member: Int, root: Root)

/**
 * The name of a slice; a slice never changes.
 *
 * @param iteration whose weights, gradient or state it is
 * @param range which part of the vector
 * @param root the subtree of a gradient; of all else, the subtree of no shard
 * @param slot number of the optimizer's state vector; 0 of all else
 */
private[train] final case class SliceName(
    kind: SliceKind,
    iteration: Long,
    range: SliceRange,
    root: Root = SliceName.NoRoot,
    slot: Int = 0
)

private[train] object SliceName {
  val NoRoot: Root = Root(-1, 0)
}

/**
 * What goes ahead of a slice on the wire; the connection says of which training it is.
 *
 * @param view number of the view in which it was sent
 */
private[train] final case class SliceHeader(view: Int, name: SliceName) {

  /** Big endian. */
  def encode: ByteBuffer = {
    val buffer = ByteBuffer.allocate(SliceHeader.Length)
    buffer.putInt(SliceHeader.Magic)
    buffer.putInt(view).put(name.kind.code).putLong(name.iteration)
    buffer.putLong(name.range.begin).putLong(name.range.end)
    buffer.putInt(name.root.first).putInt(name.root.level).putInt(name.slot)
    buffer.flip()
  }
}

private[train] object SliceHeader {
  private val Magic = 0x46535833
  private val Length = 4 + 4 + 1 + 3 * 8 + 3 * 4

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
    val view = header.getInt
    val code = header.get
    val kind = SliceKind.of(code).getOrElse(refuse(s"kind $code"))
    val iteration = header.getLong
    val range = SliceRange(header.getLong, header.getLong)
    val root = Root(header.getInt, header.getInt)
    SliceHeader(view, SliceName(kind, iteration, range, root, header.getInt))
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
