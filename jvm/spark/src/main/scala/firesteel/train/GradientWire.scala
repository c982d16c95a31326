package firesteel.train

import java.nio.ByteBuffer

import scala.collection.mutable

import firesteel.jni.{NativeBuffer, NativeOptimizer}

/**
 * The form in which gradients travel: as they are or, if the training compresses them, packed.
 *
 * The memory for that is kept: what was packed or unpacked stays until it is done for the same
 * subtree again.
 */
private[train] final class GradientWire(optimizer: NativeOptimizer, strategy: Strategy)
    extends AutoCloseable {
  private val packs = strategy.gradientCompression.isDefined
  private val sent = mutable.Map.empty[Root, NativeBuffer]
  private val received = mutable.Map.empty[Root, NativeBuffer]

  /** Bytes in which a slice travels. */
  def bytes(slice: SliceRange): Long = optimizer.gradientBytes(slice.begin, slice.end)

  /** The whole gradient of a subtree in the form in which it travels. */
  def packed(root: Root, gradient: NativeBuffer): NativeBuffer =
    if (!packs) gradient
    else {
      val whole = SliceRange(0, gradient.bytes / 4)
      val into = sent.getOrElseUpdate(root, new NativeBuffer(bytes(whole)))
      optimizer.pack(gradient, into)
      into
    }

  /** What a whole gradient in that form has of a slice. */
  def slice(packed: NativeBuffer, slice: SliceRange): ByteBuffer =
    packed.slice(offset(slice), Math.toIntExact(bytes(slice)))

  /** Where a slice begins in a whole gradient in that form, in bytes. */
  def offset(slice: SliceRange): Long = optimizer.gradientBytes(0, slice.begin)

  /** A slice of the gradient of a subtree, as it arrived, in floats. */
  def unpacked(root: Root, slice: SliceRange, packed: NativeBuffer): NativeBuffer =
    if (!packs) packed
    else {
      val into = received.getOrElseUpdate(root, new NativeBuffer(slice.bytes))
      optimizer.unpack(slice.begin, slice.end, packed, into)
      into
    }

  override def close(): Unit = {
    (sent.values ++ received.values).foreach(_.close())
    sent.clear()
    received.clear()
  }
}
