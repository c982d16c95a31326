package firesteel.train

import org.apache.spark.TaskContext
import org.apache.spark.broadcast.Broadcast

import firesteel.jni.NativeBuffer

/**
 * What every task of phase 2 knows.
 *
 * @param weights those of the iteration
 * @param states the optimizer's state of each slice; none if the optimizer has none
 */
private[train] final class SliceWork(
    val spec: TrainingSpec,
    val slots: Int,
    val slices: IndexedSeq[SliceRange],
    val step: Step,
    val weights: Broadcast[Pieces],
    val states: IndexedSeq[Broadcast[Pieces]]
) extends Serializable

/**
 * Works on slice n of all gradients, where n is the number of the partition.
 */
private[train] abstract class SliceTask[R](work: SliceWork)
    extends ((TaskContext, Iterator[(Int, GradientPiece)]) => R)
    with Serializable {
  import work._

  /**
   * @param gradients slice n of the gradient of each shard
   * @param state the optimizer's state of the slice
   * @param reports of the shards, if this is slice 0
   */
  protected def run(
      n: Int,
      host: ShardHost,
      gradients: Array[NativeBuffer],
      state: NativeBuffer,
      reports: IndexedSeq[ShardReport],
      context: TaskContext
  ): R

  final override def apply(context: TaskContext, pieces: Iterator[(Int, GradientPiece)]): R =
    ShardHosts.here.using(spec) { host =>
      val owned = new Closing
      try {
        val n = context.partitionId()
        val state = owned.add(new NativeBuffer(slots * slices(n).bytes))
        states.lift(n).foreach(_.value.copyTo(state, 0))
        val wire = owned.add(new GradientWire(host.optimizer, spec.strategy))
        val packed = Array.fill(spec.shards)(owned.add(new NativeBuffer(wire.bytes(slices(n)))))
        val reports = gather(n, pieces, packed)
        val gradients = packed.zipWithIndex.map { case (gradient, shard) =>
          wire.unpacked(Root(shard, 0), slices(n), gradient)
        }
        run(n, host, gradients, state, reports, context)
      } finally owned.close()
    }

  /** The leaves of the tree over the shards, as pairs of first shard and level. */
  protected def roots: Array[Int] = Array.range(0, spec.shards).flatMap(Array(_, 0))

  /** In its own buffer, every slice begins at 0. */
  protected def offsets: Array[Long] = new Array[Long](spec.shards)

  /** Puts the pieces, in whatever order they come, where they belong. */
  private def gather(
      n: Int,
      pieces: Iterator[(Int, GradientPiece)],
      gradients: Array[NativeBuffer]
  ): IndexedSeq[ShardReport] = {
    val got = new Array[Long](spec.shards)
    val reports = pieces.flatMap { case (_, piece) =>
      gradients(piece.shard).slice(piece.offset, piece.bytes.length).put(piece.bytes)
      got(piece.shard) += piece.bytes.length
      piece.report
    }.toVector
    got.indices.find(shard => got(shard) != gradients(shard).bytes).foreach { shard =>
      throw new IllegalStateException(
        s"slice $n of iteration ${step.iteration}: expected ${gradients(shard).bytes} bytes of the " +
          s"gradient of shard $shard, got ${got(shard)}"
      )
    }
    reports.sortBy(_.shard)
  }
}

/** Between the phases: what a slice adds to the sums over the vector, and who computed it. */
private[train] final class SliceSumsTask(work: SliceWork)
    extends SliceTask[(String, Array[Double])](work) {
  import work._

  override protected def run(
      n: Int,
      host: ShardHost,
      gradients: Array[NativeBuffer],
      state: NativeBuffer,
      reports: IndexedSeq[ShardReport],
      context: TaskContext
  ): (String, Array[Double]) = {
    val old = host.weights(step.iteration, weights.value)
    val sums = host.optimizer.partialSums(
      n,
      slices.length,
      spec.shards,
      step.iteration,
      roots,
      gradients,
      offsets,
      old,
      state
    )
    (ShardHosts.process, sums)
  }
}

/**
 * What phase 2 makes of a slice.
 *
 * @param weights the slice of the next weights
 * @param state the optimizer's state of the slice, for the next iteration
 * @param reports of the shards, if this is slice 0
 */
private[train] final class UpdatedSlice(
    val weights: Pieces,
    val state: Pieces,
    val reports: IndexedSeq[ShardReport],
    val times: ExecutorTimes
) extends Serializable

/** Phase 2 of an iteration: sums a slice along the tree and updates it. */
private[train] final class SliceUpdateTask(work: SliceWork, sums: Array[Double])
    extends SliceTask[UpdatedSlice](work) {
  import work._

  override protected def run(
      n: Int,
      host: ShardHost,
      gradients: Array[NativeBuffer],
      state: NativeBuffer,
      reports: IndexedSeq[ShardReport],
      context: TaskContext
  ): UpdatedSlice = {
    val (clock, owned) = (new TaskClock(ShardHosts.process), new Closing)
    try {
      val old = host.weights(step.iteration, weights.value)
      // Zeros that nobody touches take no memory: only the slice does.
      val (newWeights, newState) =
        (owned.add(new NativeBuffer(old.bytes)), owned.add(new NativeBuffer(state.bytes)))
      if (slices(n).floats > 0) {
        clock.computing(
          host.optimizer.update(
            n,
            slices.length,
            spec.shards,
            step.iteration,
            step.rateFactor,
            sums,
            roots,
            gradients,
            offsets,
            old,
            state,
            newWeights,
            newState
          )
        )
      }
      spec.probe.ended(Phase.ParameterSync, step.iteration, context.attemptNumber())
      new UpdatedSlice(
        Pieces.of(newWeights, slices(n).begin * 4, slices(n).bytes),
        Pieces.of(newState, 0, newState.bytes),
        reports,
        clock.take()
      )
    } finally owned.close()
  }
}
