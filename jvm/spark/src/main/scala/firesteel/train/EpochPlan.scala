package firesteel.train

import firesteel.jni.NativeOptimizer

/**
 * How an epoch is cut into iterations: shard s brings rows `[i·n/I, (i+1)·n/I)` of its permutation
 * to iteration i of I, so every row is seen exactly once. Iterations without a row are left out.
 *
 * @param rows number of rows n of each shard
 * @param batchSize rows of an iteration, on average
 */
private[train] final class EpochPlan(rows: IndexedSeq[Long], batchSize: Long) {

  /** Rows of an epoch. */
  val records: Long = rows.sum

  private val iterations = Math.toIntExact((records + batchSize - 1) / batchSize)

  /** Index and number of rows of each iteration. */
  private val counts = (0 until iterations)
    .map { index =>
      val parts = rows.map(NativeOptimizer.slice(index, iterations, _))
      (index, parts.map(part => part(1) - part(0)).sum)
    }
    .filter { case (_, count) => count > 0 }

  /** Number of iterations of an epoch. */
  val length: Int = counts.length

  /** The iterations of the current epoch that are left. */
  def steps(state: TrainingState): IndexedSeq[Step] =
    counts.drop(state.index.toInt).zipWithIndex.map { case ((index, count), n) =>
      Step(state.iteration + n, state.epoch, index.toLong, iterations.toLong, count)
    }
}
