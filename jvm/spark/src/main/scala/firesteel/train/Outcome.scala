package firesteel.train

/** How a task ended. Missing something is an answer, not an exception. */
private[train] sealed trait Outcome[+R] extends Serializable

private[train] object Outcome {

  /** The task did all of its work. */
  final case class Done[R](result: R) extends Outcome[R]

  /**
   * The task could not do its work: slices did not come or did not arrive, or its view is over.
   *
   * @param missing members that did not come, or do not answer
   */
  final case class Unfinished(missing: Seq[Int]) extends Outcome[Nothing]

  /** The task ran on another executor than the one it belongs to. */
  final case class Misplaced(on: String) extends Outcome[Nothing]
}

/**
 * What phase 1 returns to the driver.
 *
 * @param losses sum of losses and number of rows of each hosted shard, in shard order
 * @param times what the executor spent its time on since the iteration before
 */
private[train] final case class ShardLosses(losses: Array[Double], times: ExecutorTimes)
