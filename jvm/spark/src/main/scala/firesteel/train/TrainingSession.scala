package firesteel.train

import java.security.MessageDigest
import java.util.HexFormat

import org.apache.spark.{SparkConf, SparkContext}

import firesteel.data.Role
import firesteel.jni.{Histogram, NativeModel, NativeOptimizer}
import firesteel.optim.Plateau

/**
 * A training on a cluster, seen from the driver: what the training's loop needs, however weights and
 * gradients travel.
 */
private[train] trait TrainingSession extends AutoCloseable {

  /** What is trained. */
  def spec: TrainingSpec

  /** Number of executors that take part. */
  def executors: Int

  /** The settings of the application. */
  protected def conf: SparkConf

  /** The network. */
  protected def model: NativeModel

  /** The update of a slice. */
  protected def optimizer: NativeOptimizer

  /** Which vector of the optimizer's state is the average of the weights, if it keeps one. */
  protected lazy val averageSlot: Option[Int] = Some(optimizer.averageSlot()).filter(_ >= 0)

  private lazy val monitorsScore = Plateau.monitorsScore(spec.optimizer)

  /** Learning rate of an iteration. */
  def learningRate(step: Step): Double = optimizer.learningRate(step.iteration) * step.rateFactor

  /** Number of rows of each shard. */
  def rowsOf(role: Role): IndexedSeq[Long]

  /**
   * Some iterations; fewer, or none, if they could not be done at once.
   *
   * @param iterationMs time of an iteration, as last measured; 0 if it never was
   * @param hashes whether the weights are to be hashed at the end
   */
  def iterate(steps: IndexedSeq[Step], iterationMs: Double, hashes: Boolean): Iterated

  /** Goes back to an iteration that is still here: the one with which the last call began. */
  def goBack(iteration: Long): Unit

  /**
   * Begins with the initial weights, or with those of a checkpoint.
   *
   * @throws CheckpointException if it is damaged
   */
  def begin(from: Option[Checkpoint]): Unit

  /** Measures the weights with the validation rows. */
  def evaluate(): Evaluation

  /** Hash of the weights. */
  def hash(): String

  /** How the weights are distributed, by the names of the parameters. */
  def histograms(): Seq[(String, Histogram)]

  /** What the values measured so far make of the learning rate. */
  def rateFactor(state: TrainingState): Double = {
    val values = state.measurements.map { one =>
      if (monitorsScore) one.evaluation.accuracy else one.evaluation.loss
    }
    optimizer.rateFactor(values.toArray)
  }

  /** Writes the files of a checkpoint. */
  def checkpoint(to: CheckpointStore): (CheckpointDraft, IndexedSeq[CheckpointPart])

  /** In a job of this name: the bytes of a piece of the weights or, if `slot` is given, of that vector of the state. */
  protected def read(what: String, piece: SliceRange, slot: Option[Int]): Array[Byte]

  /** A model file with the weights or, if the optimizer keeps one, with their average. */
  def write(): ModelFile = ModelFile.create(conf, model)(read("model file", _, averageSlot))

  /** SHA-256 of the vectors of the optimizer's state, one after the other; they come piece by piece. */
  def stateHash(): String = {
    val digest = MessageDigest.getInstance("SHA-256")
    val pieces = ModelFile.pieces(model.parameterCount, ModelFile.pieceFloats(conf)).toSeq
    for (slot <- 0 until optimizer.slots(); piece <- pieces) {
      digest.update(read("state hash", piece, Some(slot)))
    }
    HexFormat.of.formatHex(digest.digest())
  }
}

private[train] object TrainingSession {
  private val JobGroup = "spark.jobGroup.id"

  /** Jobs that the user's job group does not name: who cancels a training means not its clean-up. */
  def outsideJobGroup(sc: SparkContext)(jobs: => Unit): Unit = {
    val group = sc.getLocalProperty(JobGroup)
    sc.setLocalProperty(JobGroup, null)
    try jobs
    finally sc.setLocalProperty(JobGroup, group)
  }
}
