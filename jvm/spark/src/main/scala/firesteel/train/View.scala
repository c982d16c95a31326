package firesteel.train

import org.apache.spark.firesteel.Executor

import firesteel.jni.NativeOptimizer

/**
 * An executor that takes part in a training.
 *
 * @param address where it receives slices; the driver of a local master receives none
 */
private[train] final case class Member(executor: Executor, address: Option[Address])

/**
 * Who takes part in a training, from one change of the cluster to the next.
 *
 * Member n of N hosts the n-th part of the shards and owns the n-th slice. Member n + 1 is its
 * ''buddy'' and has a copy of its optimizer state; member n - 1 is its ''ward''.
 *
 * @param number counts the views of a training
 * @param slices the slice of each member
 * @param shards number of shards S
 * @throws TrainingException if a slice is too large to be sent
 */
private[train] final case class View(
    number: Int,
    members: IndexedSeq[Member],
    slices: IndexedSeq[SliceRange],
    shards: Int
) {
  if (members.length > 1) slices.find(_.bytes > View.MostBytes).foreach(refuse)

  /** Number of members N. */
  def count: Int = members.length

  /** The shards that member `n` hosts. */
  def hosted(n: Int): Range = {
    val range = NativeOptimizer.slice(n, count, shards.toLong)
    range(0).toInt until range(1).toInt
  }

  /** The member that keeps a copy of `n`'s state; a lone member has none. */
  def buddy(n: Int): Option[Int] = Option.when(count > 1)((n + 1) % count)

  /** The member of whose state `n` keeps a copy. */
  def ward(n: Int): Option[Int] = Option.when(count > 1)((n - 1 + count) % count)

  /** All members but `n`. */
  def others(n: Int): Seq[Int] = members.indices.filter(_ != n)

  /** The members' executors. */
  def executorIds: Set[String] = members.map(_.executor.id).toSet

  /** The number of an executor among the members. */
  def indexOf(executor: String): Option[Int] =
    Some(members.indexWhere(_.executor.id == executor)).filter(_ >= 0)

  /** The subtrees of the shards with the members that have their gradients, in the tree's order. */
  @transient lazy val tree: IndexedSeq[OwnedRoot] = members.indices.flatMap { n =>
    val range = hosted(n)
    Root
      .fromPairs(NativeOptimizer.roots(range.start, range.end, shards))
      .map(OwnedRoot(n, _))
  }

  private def refuse(slice: SliceRange): Nothing = throw new TrainingException(
    s"training on ${members.length} executors: expected slices of at most ${View.MostBytes} " +
      s"bytes, got one of ${slice.bytes} (weights $slice). Use more executors, each has a slice; or a " +
      "single one, which sends none."
  )
}

private object View {

  /** A slice is sent as one `ByteBuffer`. */
  val MostBytes: Long = Int.MaxValue.toLong
}

/** A range of the flat vector, in floats. */
private[train] final case class SliceRange(begin: Long, end: Long) {
  def floats: Long = end - begin
  def bytes: Long = floats * 4

  /** Whether all of `other` is in this range. */
  def contains(other: SliceRange): Boolean = begin <= other.begin && other.end <= end

  /** What both ranges have, if anything. */
  def intersect(other: SliceRange): Option[SliceRange] =
    Some(SliceRange(math.max(begin, other.begin), math.min(end, other.end))).filter(_.floats > 0)
}
