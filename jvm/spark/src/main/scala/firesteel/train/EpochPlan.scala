package firesteel.train

import firesteel.jni.NativeOptimizer

/**
 * How an epoch is cut into iterations: shard s brings rows `[i·n/I, (i+1)·n/I)` of its permutation
 * to iteration i of I, so every row is seen exactly once.
 *
 * @param rows number of rows of each shard
 * @param batchSize rows of an iteration, on average
 */
private[train] final class EpochPlan(rows: IndexedSeq[Long], batchSize: Int) {

  /** Rows of an epoch. */
  val records: Long = rows.sum

  /** Iterations of an epoch. */
  val iterations: Int = Math.toIntExact((records + batchSize - 1) / batchSize)

  /** Rows of iteration `index`. */
  def count(index: Int): Long = rows.map { n =>
    val part = NativeOptimizer.slice(index, iterations, n)
    part(1) - part(0)
  }.sum
}
