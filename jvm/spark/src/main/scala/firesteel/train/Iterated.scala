package firesteel.train

/**
 * What some iterations brought.
 *
 * @param losses losses and rows of each shard in each iteration; of none if the job did not get to
 *     its end
 * @param executors what each executor spent its time on
 * @param hash of the weights at the end, if it was made on the way
 */
private[train] final case class Iterated(
    losses: IndexedSeq[IndexedSeq[ShardLoss]],
    executors: IndexedSeq[ExecutorTimes],
    hash: Option[String]
) {
  def isWhole: Boolean = losses.nonEmpty
}

private[train] object Iterated {
  val Nothing: Iterated = Iterated(IndexedSeq.empty, IndexedSeq.empty, None)
}
