package firesteel.train

/** How a task ended. Missing something is an answer, not an exception. */
private[train] sealed trait Outcome[+R] extends Serializable

private[train] object Outcome {

  /** The task did all of its work. */
  final case class Done[R](result: R) extends Outcome[R]

  /**
   * The task must run again, after the tasks that own what it missed.
   *
   * @param missing tasks whose slices are not here
   */
  final case class Unfinished(missing: Seq[Int]) extends Outcome[Nothing]

  /** The task ran on another executor than the one it belongs to. */
  final case class Misplaced(on: String) extends Outcome[Nothing]
}

/**
 * What phase 1 returns to the driver.
 *
 * @param losses sum of losses and number of rows of each hosted shard, in shard order
 * @param roots the subtrees whose gradients the task has
 */
private[train] final case class ShardLosses(losses: Array[Double], roots: Array[Root])

/** A subtree and the task that has its gradient. */
private[train] final case class OwnedRoot(task: Int, root: Root)
