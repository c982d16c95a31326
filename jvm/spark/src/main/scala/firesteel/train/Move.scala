package firesteel.train

/** Where a member of a view takes weights and state from. */
private[train] sealed trait Start extends Serializable

private[train] object Start {

  /** The training begins: initial weights, state of zeros. */
  case object Initial extends Start

  /** The training goes on with a checkpoint. */
  final case class Saved(checkpoint: Checkpoint) extends Start

  /** It has the weights, and some of the state. */
  case object Member extends Start

  /** It has nothing. */
  case object Newcomer extends Start
}

/** Something that must be brought from one member of a view to one of the next. */
private[train] sealed trait Move extends Serializable {

  /** The executor that sends. */
  def from: String

  /** The member of the next view that receives. */
  def to: Int

  def range: SliceRange
}

private[train] object Move {
  final case class Weights(from: String, to: Int, range: SliceRange) extends Move
  final case class State(from: String, to: Int, range: SliceRange) extends Move

  /**
   * What must be brought where, so that every member of `next` has the weights, the state of its
   * slice and that of its ward's; none if a part of the state is lost with its owner and buddy, or
   * nobody has the weights.
   *
   * @param alive executors of `last` that are left
   * @param hasState whether the optimizer has state
   */
  def plan(last: View, next: View, alive: Set[String], hasState: Boolean): Option[Seq[Move]] = {
    val left = last.members.map(_.executor.id).filter(alive)
    if (left.isEmpty) None
    else {
      val states = if (hasState) statesOf(last, next, alive) else Some(Nil)
      states.map(_ ++ weightsOf(last, next, left))
    }
  }

  private def weightsOf(last: View, next: View, left: IndexedSeq[String]): Seq[Move] =
    for {
      (member, to) <- next.members.zipWithIndex if last.indexOf(member.executor.id).isEmpty
      (range, part) <- next.slices.zipWithIndex if range.floats > 0
    } yield Weights(left((to + part) % left.length), to, range)

  private def statesOf(last: View, next: View, alive: Set[String]): Option[Seq[Move]] = {
    def holder(n: Int): Option[String] =
      (Some(n) ++ last.buddy(n)).map(last.members(_).executor.id).find(alive)

    /** The pieces of `range` with their holders, unless one is lost. */
    def pieces(to: Int, range: SliceRange): Option[Seq[Move]] = {
      val found = for {
        (slice, n) <- last.slices.zipWithIndex
        piece <- slice.intersect(range)
      } yield holder(n).map(State(_, to, piece))
      Option.when(found.forall(_.isDefined))(found.flatten)
    }

    val needed = next.members.zipWithIndex.flatMap { case (member, to) =>
      val before = last.indexOf(member.executor.id)
      val own = next.slices(to)
      val ward = next.ward(to).map(next.slices)
      val hasOwn = before.exists(last.slices(_) == own)
      val hasWard = before.flatMap(last.ward).map(last.slices) == ward
      Seq((to, own)).filterNot(_ => hasOwn) ++ ward.map((to, _)).filterNot(_ => hasWard)
    }
    val moves = needed.map { case (to, range) => pieces(to, range) }
    Option.when(moves.forall(_.isDefined))(moves.flatten.flatten)
  }
}
