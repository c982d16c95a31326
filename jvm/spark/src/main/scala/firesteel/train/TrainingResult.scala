package firesteel.train

/**
 * How good weights are on a set of rows.
 *
 * @param count number of rows
 * @param lossSum sum of their losses
 * @param correct how many were classified right
 */
final case class Evaluation(count: Long, lossSum: Double, correct: Long) {

  /** Mean loss. */
  def loss: Double = lossSum / count

  /** Part that was classified right, 0 to 1; 0 for losses that do not classify. */
  def accuracy: Double = correct.toDouble / count

  private[train] def +(other: Evaluation): Evaluation =
    Evaluation(count + other.count, lossSum + other.lossSum, correct + other.correct)
}

private[train] object Evaluation {
  val Empty: Evaluation = Evaluation(0, 0, 0)

  /** From what the worker says: rows, sum of losses, rows that were classified right. */
  def of(sums: Array[Double]): Evaluation = Evaluation(sums(0).toLong, sums(1), sums(2).toLong)
}

/** Loss and rows of a shard in an iteration. */
private[train] final case class ShardLoss(lossSum: Double, count: Long)

/**
 * What an epoch brought.
 *
 * @param epoch counted from 0
 * @param loss mean loss of the rows while they were learned from
 * @param records number of rows
 * @param seconds time of the iterations, without validation
 * @param iterationMs median time of an iteration in milliseconds
 * @param weightsHash SHA-256 of the weights: equal hashes are equal bits
 * @param validation measured with the validation rows, if there are any
 */
final case class EpochResult(
    epoch: Int,
    loss: Double,
    records: Long,
    seconds: Double,
    iterationMs: Double,
    weightsHash: String,
    validation: Option[Evaluation]
) {

  /** Rows per second. */
  def recordsPerSecond: Double = records / seconds
}

/**
 * What a training brought.
 *
 * @param epochs the epochs in their order
 * @param modelFile the trained model
 * @param weightsHash SHA-256 of the trained weights
 * @param stateHash SHA-256 of the optimizer's state: its vectors one after the other, each in the order
 *     of the weights, however they were cut into slices; if `spark.firesteel.stateHash` asks for it
 */
final class TrainingResult private[train] (
    val epochs: IndexedSeq[EpochResult],
    val modelFile: ModelFile,
    val weightsHash: String,
    val stateHash: Option[String]
)
