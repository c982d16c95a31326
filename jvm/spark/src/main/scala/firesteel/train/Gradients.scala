package firesteel.train

import scala.util.Using

import org.apache.spark.TaskContext
import org.apache.spark.broadcast.Broadcast

import firesteel.jni.NativeBuffer

/**
 * The loss of a shard in an iteration, from the task that computed it.
 *
 * @param times what the task spent its time on
 */
private[train] final case class ShardReport(shard: Int, loss: ShardLoss, times: ExecutorTimes)

/**
 * A piece of a shard's gradient, on its way to the task that updates its slice.
 *
 * @param offset where it begins in the slice as it travels, in bytes
 * @param report of the shard, with an empty piece of slice 0
 */
private[train] final class GradientPiece(
    val shard: Int,
    val offset: Long,
    val bytes: Array[Byte],
    val report: Option[ShardReport]
) extends Serializable

/**
 * Phase 1 of an iteration: the gradient of each shard, in pieces by the number of the slice.
 *
 * @param weights those of the iteration
 */
private[train] final class Gradients(
    shards: HostedShards,
    step: Step,
    slices: IndexedSeq[SliceRange],
    weights: Broadcast[Pieces]
) extends ShardWork[(Int, GradientPiece)](shards) {

  override protected def work(
      number: Int,
      host: ShardHost,
      shard: HostedShard,
      context: TaskContext
  ): Iterator[(Int, GradientPiece)] = {
    val clock = new TaskClock(ShardHosts.process)
    val old = host.weights(step.iteration, weights.value)
    val (loss, pieces) = clock.computing(shard.gradient(old, step)(cut(number, host, _)))
    shards.spec.probe.ended(Phase.ForwardBackward, step.iteration, context.attemptNumber())
    clock.sending(pieces.map(_._2.bytes.length.toLong).sum)
    val report = Some(ShardReport(number, loss, clock.take()))
    val reporting = (0, new GradientPiece(number, 0, Array.emptyByteArray, report))
    (reporting +: pieces).iterator
  }

  private def cut(
      shard: Int,
      host: ShardHost,
      gradient: NativeBuffer
  ): Seq[(Int, GradientPiece)] =
    Using.resource(new GradientWire(host.optimizer, shards.spec.strategy)) { wire =>
      val packed = wire.packed(Root(shard, 0), gradient)
      for {
        (range, n) <- slices.zipWithIndex
        piece <- Pieces.ranges(wire.bytes(range))
      } yield {
        val bytes = Pieces.array(packed, wire.offset(range) + piece.begin, piece.length)
        (n, new GradientPiece(shard, piece.begin, bytes, None))
      }
    }
}
