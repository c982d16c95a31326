package firesteel.train

import java.util.UUID

import org.apache.spark.internal.Logging
import org.apache.spark.sql.{Dataset, Row, SparkSession}

import firesteel.Conf
import firesteel.data.{DataException, Role, RowEncoder, ShardedDataset}

/** Rows and the encoder of their columns. */
final case class TrainingRows(rows: Dataset[Row], encoder: RowEncoder)

/**
 * What to train and how.
 *
 * @param definition the model, as JSON
 * @param loss the loss, as JSON
 * @param optimizer the optimizer, as JSON
 * @param batchSize rows of an iteration over all shards, 1 or more
 * @param epochs how often every row is seen, 1 or more
 * @param seed of initial weights, dropout and the order of the rows
 * @param shards number of shards S; `spark.firesteel.shards` if not given
 */
final case class TrainingSettings(
    definition: String,
    loss: String,
    optimizer: String,
    batchSize: Int,
    epochs: Int,
    seed: Long,
    shards: Option[Int] = None)

/**
 * Trains a model with ordinary Spark jobs, the protocol of the BigDL paper (Dai et al., "BigDL: A
 * Distributed Deep Learning Framework for Big Data", arXiv 1804.05839).
 *
 * The rows are cut into S shards and every executor hosts some. An iteration is two short jobs:
 *
 *   1. ''forward-backward'': every executor computes the gradients of its shards' rows of the batch and
 *      sends slice n of them to executor n;
 *   1. ''parameter synchronization'': executor n sums its slice along a fixed tree over the shards,
 *      updates it with the optimizer, and sends the new weights to all others.
 *
 * The same rows, seed and S give the same weights bit for bit, on any number of executors and cores.
 */
final class Trainer private[firesteel] (
    spark: SparkSession,
    settings: TrainingSettings,
    probe: Probe)
    extends Logging {

  /** A trainer on this session's executors. */
  def this(spark: SparkSession, settings: TrainingSettings) = this(spark, settings, NoProbe)

  private val sc = spark.sparkContext
  private val conf = sc.getConf

  /**
   * Learns from `training`; measures after each epoch with `validation`.
   *
   * @throws firesteel.data.DataException if a row cannot be used, or there is none
   * @throws ExecutorNativeException if an executor cannot load the native library
   * @throws ExecutorLostException if an executor is lost
   * @throws DivergedException if the loss becomes infinite or NaN
   */
  def fit(training: TrainingRows, validation: Option[TrainingRows]): TrainingResult = {
    val executors = Session.awaitExecutors(sc, Conf.ExecutorWait.get(conf).getOrElse(60))
    val shards = settings.shards.orElse(Conf.Shards.get(conf)).getOrElse(executors.map(_.cores).sum)
    val spec = TrainingSpec(
      UUID.randomUUID(),
      UUID.randomUUID(),
      settings.definition,
      settings.loss,
      settings.optimizer,
      shards,
      settings.seed,
      settings.batchSize,
      probe)
    val session = Session.open(sc, spec, executors.take(shards), Conf.Threads.get(conf))
    val callSite = sc.getLocalProperty("callSite.short")
    sc.setCallSite("firesteel training")
    try {
      val rows = session.load(Role.Training, ShardedDataset(training.rows, training.encoder, shards))
      validation.foreach { data =>
        session.load(Role.Validation, ShardedDataset(data.rows, data.encoder, shards))
      }
      train(session, new EpochPlan(rows, settings.batchSize), validation.isDefined)
    } finally {
      session.close()
      sc.setLocalProperty("callSite.short", callSite)
    }
  }

  private def train(session: Session, plan: EpochPlan, validates: Boolean): TrainingResult = {
    if (plan.records == 0) {
      throw new DataException("training: expected rows, got none. Look at the filters of the DataFrame.")
    }
    val progress = Progress(conf, settings.epochs, plan.records)
    var iteration = 0L
    val epochs = (0 until settings.epochs).map { epoch =>
      var lossSum = 0.0
      var records = 0L
      val start = System.nanoTime
      for (index <- 0 until plan.iterations; count = plan.count(index) if count > 0) {
        val step = Step(iteration, epoch.toLong, index.toLong, plan.iterations.toLong, count)
        lossSum += session.iterate(step).map(_.lossSum).sum
        checkLoss(lossSum, step)
        records += count
        iteration += 1
        progress.iterated(epoch, lossSum / records, records)
      }
      val seconds = (System.nanoTime - start) / 1e9
      val evaluation = if (validates) Some(session.evaluate(iteration)) else None
      val hash = session.hash(iteration)
      val result = EpochResult(epoch, lossSum / records, records, seconds, hash, evaluation)
      logInfo(s"epoch $epoch: loss ${result.loss}, weights $hash")
      progress.ended(result)
      result
    }
    new TrainingResult(epochs, session.write(iteration))
  }

  private def checkLoss(lossSum: Double, step: Step): Unit =
    if (lossSum.isNaN || lossSum.isInfinite) {
      throw new DivergedException(
        s"training: expected a finite loss, got $lossSum at iteration ${step.iteration} (epoch " +
          s"${step.epoch}). Lower the learning rate, clip the gradients, or scale the features.")
    }
}
