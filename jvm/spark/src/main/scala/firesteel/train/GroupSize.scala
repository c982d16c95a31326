package firesteel.train

/**
 * How many iterations the next job runs.
 *
 * Grows 1, 2, 4, … until a job lasts about a second; the first iteration is always alone, it shows
 * who has which subtree. After a group that failed, iterations are alone for a while, twice as long
 * after each further failure.
 *
 * @param fixed the number to use, if the user has set it
 */
private[train] final class GroupSize(fixed: Option[Int]) {
  private var size = 1
  private var failures = 0
  private var alone = 1

  private var measuredMs = 0.0

  /** Time of an iteration in milliseconds, as last measured. */
  def iterationMs: Double = measuredMs

  /** Number of iterations of the next job, if `left` are left of the epoch. */
  def next(left: Int): Int =
    if (alone > 0) 1 else math.min(fixed.getOrElse(size), left)

  /**
   * A job has ended.
   *
   * @param length its number of iterations
   * @param isWhole whether it got to its end
   */
  def ended(length: Int, ms: Double, isWhole: Boolean): Unit = {
    measuredMs = ms / length
    if (!isWhole) {
      failures += 1
      alone = 1 << math.min(failures - 1, GroupSize.LongestPause)
      size = 1
    } else {
      if (length > 1) failures = 0
      alone = math.max(0, alone - length)
      val fitting = (GroupSize.JobMs / iterationMs).toInt
      size = math.max(1, math.min(2 * length, fitting))
    }
  }
}

private object GroupSize {
  private val JobMs = 1000.0
  private val LongestPause = 10
}
