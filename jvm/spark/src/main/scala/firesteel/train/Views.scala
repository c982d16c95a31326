package firesteel.train

import scala.collection.mutable

import org.apache.spark.SparkContext
import org.apache.spark.firesteel.Cluster
import org.apache.spark.rdd.RDD

import firesteel.data.Role
import firesteel.jni.NativeOptimizer

/**
 * The views of a training, one after the other, seen from the driver.
 *
 * @param sources for each role, one partition of chunks per shard
 * @param exchangeMs longest wait for state that moves, in milliseconds
 */
private[train] final class Views(
    sc: SparkContext,
    spec: TrainingSpec,
    sources: IndexedSeq[(Role, RDD[Array[Byte]])],
    optimizer: NativeOptimizer,
    exchangeMs: Long
) {

  /** The shards that each executor has in its memory. */
  private val held = mutable.Map.empty[String, Set[Shard]]
  private val rows = mutable.Map.empty[Shard, Long]
  private var numbers = 0
  private var view = View(-1, IndexedSeq.empty, IndexedSeq.empty, spec.shards)
  private var placed = new PlacedTasks(sc, IndexedSeq.empty)

  /** The view in which the training works. */
  def current: View = view

  /** Runs tasks on its members. */
  def tasks: PlacedTasks = placed

  /** Number of rows of a shard. */
  def rowsOf(shard: Shard): Long = rows.getOrElse(shard, 0L)

  /**
   * All take their places in the next view.
   *
   * @param position number of iterations that are done
   * @param start where weights and state come from; from the members of the view before if not given
   * @throws StateLostException if nobody has some of the state any more
   */
  def enter(
      members: IndexedSeq[Member],
      position: Long,
      start: Option[Start]
  ): Either[Broken, Unit] = {
    val slices = members.indices.map { n =>
      val range = optimizer.parameterSlice(n, members.length)
      SliceRange(range(0), range(1))
    }
    numbers += 1
    val next = View(numbers, members, slices, spec.shards)
    val last = Option.when(start.isEmpty)(view)
    val alive = Cluster.executorIds(sc)
    val moves = last.fold(Seq.empty[Move]) { from =>
      // One that leaves or hangs is asked only for what nobody else has.
      def plan(senders: Set[String]) = Move.plan(from, next, senders, optimizer.slots > 0)
      plan(alive & next.executorIds).orElse(plan(alive)).getOrElse {
        throw new StateLostException(
          s"training: the state of iteration $position is lost with executors " +
            from.executorIds.diff(alive).mkString(", ")
        )
      }
    }
    val nextTasks = new PlacedTasks(sc, members.map(_.executor))
    for {
      _ <- join(next, last, position, start, nextTasks)
      _ <- bring(moves, last, position, next)
    } yield {
      held.clear()
      members.indices.foreach(n => held.put(members(n).executor.id, shardsOf(next, n)))
      view = next
      placed = nextTasks
    }
  }

  private def join(
      next: View,
      last: Option[View],
      position: Long,
      start: Option[Start],
      nextTasks: PlacedTasks
  ): Either[Broken, Unit] = {
    val starts = next.members.map { one =>
      start.getOrElse(if (view.executorIds(one.executor.id)) Start.Member else Start.Newcomer)
    }
    val wanted = next.members.indices.map { n =>
      val has = held.getOrElse(next.members(n).executor.id, Set.empty)
      (shardsOf(next, n) -- has).toSeq.sortBy(shard => (shard.role.toString, shard.number))
    }
    val hosted = new HostedRDD(sc, sources, nextTasks.executors, wanted)
    val task = new JoinTask(spec.id, next, last.map(_.number), position, starts)
    val what = s"joining view ${next.number}"
    // Who is about to leave may never answer, and the view would not last.
    val stays = Cluster.isStaying(sc, _: String)
    nextTasks.runOn(hosted, nextTasks.executors.indices, what, task, None, stays).map { loaded =>
      rows ++= loaded.flatten
    }
  }

  private def bring(
      moves: Seq[Move],
      last: Option[View],
      position: Long,
      next: View
  ): Either[Broken, Unit] =
    last.filter(_ => moves.nonEmpty).fold[Either[Broken, Unit]](Right(())) { from =>
      val byExecutor = moves.groupBy(_.from)
      val senders = from.members.map(_.executor).filter(one => byExecutor.contains(one.id))
      val parts = senders.map(one => byExecutor(one.id))
      val task = new MoveTask(spec.id, from.number, next, position, parts, exchangeMs)
      new PlacedTasks(sc, senders).run(s"moving to view ${next.number}", task).map(_ => ())
    }

  private def shardsOf(of: View, n: Int): Set[Shard] =
    (for ((role, _) <- sources; number <- of.hosted(n)) yield Shard(role, number)).toSet
}
