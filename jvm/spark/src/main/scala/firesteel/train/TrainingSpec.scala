package firesteel.train

import java.util.UUID

import firesteel.jni.{NativeModel, NativeOptimizer, NativeWorker}

/**
 * What a training is: all that an executor must know, sent once.
 *
 * @param id names the training
 * @param token the training's secret, so that nobody else's slices are taken
 * @param definition the model, as JSON
 * @param loss the loss, as JSON
 * @param optimizer the optimizer, as JSON
 * @param shards number of shards S
 * @param seed of initial weights, dropout and the order of the rows
 * @param batchSize rows of an iteration
 * @param microBatch most rows of a shard that are computed at a time; 0 is no limit
 * @param strategy what the shards exchange
 * @param probe called in tasks, for tests of what happens when one goes wrong
 */
private[firesteel] final case class TrainingSpec(
    id: UUID,
    token: UUID,
    definition: String,
    loss: String,
    optimizer: String,
    shards: Int,
    seed: Long,
    batchSize: Int,
    microBatch: Int,
    strategy: Strategy,
    probe: Probe
) {

  /** The passes of the network over hosted shards; results do not depend on `threads`. */
  private[train] def nativeWorker(model: NativeModel, threads: Int = 1): NativeWorker =
    new NativeWorker(model, loss, threads, seed, microBatch, strategy.toJson, optimizer)

  /** The update of a slice; results do not depend on `threads`. */
  private[train] def nativeOptimizer(model: NativeModel, threads: Int = 1): NativeOptimizer =
    new NativeOptimizer(model, optimizer, threads, strategy.toJson, seed)
}

/**
 * Which part of which epoch an iteration is.
 *
 * @param iteration counted from the beginning of the training
 * @param epoch counted from 0
 * @param index counted from the beginning of the epoch
 * @param of number of iterations of an epoch
 * @param count rows of this iteration over all shards
 * @param rateFactor factor of the learning rate
 */
private[firesteel] final case class Step(
    iteration: Long,
    epoch: Long,
    index: Long,
    of: Long,
    count: Long,
    rateFactor: Double = 1.0
)

/** Sees the phases of an iteration in their tasks. */
private[firesteel] trait Probe extends Serializable {

  /** A phase of an iteration has ended; what this throws fails the task. */
  def ended(phase: Phase, iteration: Long, attempt: Int): Unit
}

/** The probe that does nothing. */
private[firesteel] object NoProbe extends Probe {
  override def ended(phase: Phase, iteration: Long, attempt: Int): Unit = ()
}

/** The two phases of an iteration. */
private[firesteel] sealed trait Phase extends Serializable

private[firesteel] object Phase {
  case object ForwardBackward extends Phase
  case object ParameterSync extends Phase
}
