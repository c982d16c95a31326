package firesteel.train

import java.util.UUID

import scala.annotation.tailrec
import scala.collection.mutable

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
    shards: Option[Int] = None
)

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
 * Where all executors are free, one job runs many iterations, whose tasks wait for each other's slices
 * instead of for the driver: ''grouped iterations'', after Drizzle (Venkataraman et al., "Drizzle:
 * Fast and Adaptable Stream Processing at Scale", SOSP 2017).
 *
 * The same rows, seed and S give the same weights bit for bit, on any number of executors and cores.
 */
final class Trainer private[firesteel] (
    spark: SparkSession,
    settings: TrainingSettings,
    probe: Probe
) extends Logging {

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
      probe
    )
    val session = Session.open(sc, spec, executors.take(shards), Conf.Threads.get(conf))
    try {
      val plan = new EpochPlan(load(session, Role.Training, training, shards), settings.batchSize)
      validation.foreach(load(session, Role.Validation, _, shards))
      val progress = Progress(conf, settings.epochs, plan.records)
      val groups = new GroupSize(Conf.Group.get(conf).flatten)
      val epochs = (0 until settings.epochs).map { epoch =>
        val learned = learn(session, groups, plan.steps(epoch), progress)
        val iteration = plan.end(epoch)
        val result = EpochResult(
          epoch,
          learned.loss,
          learned.records,
          learned.seconds,
          learned.iterationMs,
          session.hash(iteration),
          validation.map(_ => session.evaluate(iteration))
        )
        logInfo(s"epoch $epoch: loss ${result.loss}, weights ${result.weightsHash}")
        progress.ended(result)
        result
      }
      new TrainingResult(epochs, session.write(plan.end(settings.epochs - 1)))
    } finally {
      session.close()
      sc.clearCallSite()
    }
  }

  /** Number of rows of each shard. */
  private def load(
      session: Session,
      role: Role,
      data: TrainingRows,
      shards: Int
  ): IndexedSeq[Long] = {
    val rows = session.load(role, ShardedDataset(data.rows, data.encoder, shards))
    if (rows.sum == 0) {
      throw new DataException(s"$role: expected rows, got none. Look at the DataFrame's filters.")
    }
    rows
  }

  /** One epoch: every row of the training set once. */
  private def learn(
      session: Session,
      groups: GroupSize,
      steps: IndexedSeq[Step],
      progress: Progress
  ): Learned = {
    val times = mutable.ArrayBuffer.empty[Double]
    var lossSum = 0.0
    var records = 0L

    @tailrec def go(left: IndexedSeq[Step]): Unit = if (left.nonEmpty) {
      val (now, later) = left.splitAt(groups.next(left.length))
      val begin = System.nanoTime
      val iterated = session.iterate(now, groupLimitMs(groups.iterationMs))
      now.zip(iterated.losses).foreach { case (step, losses) =>
        lossSum += losses.map(_.lossSum).sum
        records += step.count
        checkLoss(lossSum, step)
      }
      val ms = (System.nanoTime - begin) / 1e6
      times ++= Seq.fill(now.length)(ms / now.length)
      groups.ended(now.length, ms, iterated.isWhole)
      progress.iterated(now.last.epoch.toInt, lossSum / records, records)
      go(later)
    }

    go(steps)
    Learned(lossSum / records, records, times.toSeq)
  }

  /** Longest wait for a slice within a group: even a slow iteration ends earlier. */
  private def groupLimitMs(iterationMs: Double): Long =
    Conf.GroupTimeout.get(conf) match {
      case Some(seconds) => seconds * 1000L
      case None => math.max(10000L, (10 * iterationMs).toLong)
    }

  private def checkLoss(lossSum: Double, step: Step): Unit =
    if (lossSum.isNaN || lossSum.isInfinite) {
      throw new DivergedException(
        s"training: expected a finite loss, got $lossSum at iteration ${step.iteration} (epoch " +
          s"${step.epoch}). Lower the learning rate, clip the gradients, or scale the features."
      )
    }
}

/**
 * Mean loss and rows of an epoch.
 *
 * @param times time of each iteration in milliseconds; in a group, its share of the group's
 */
private final case class Learned(loss: Double, records: Long, times: Seq[Double]) {
  def seconds: Double = times.sum / 1000

  /** Median time of an iteration. */
  def iterationMs: Double = times.sorted.apply(times.length / 2)
}
