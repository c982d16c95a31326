package firesteel.train

import java.util.UUID

import scala.annotation.tailrec
import scala.collection.mutable

import org.apache.spark.firesteel.ui.TrainingPoster
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
   * @param observers told of what happens, beside the console and Spark's web pages
   * @throws firesteel.data.DataException if a row cannot be used, or there is none
   * @throws ExecutorNativeException if an executor cannot load the native library
   * @throws ExecutorLostException if all executors are lost and no other comes
   * @throws DivergedException if the loss becomes infinite or NaN
   */
  def fit(
      training: TrainingRows,
      validation: Option[TrainingRows],
      observers: Seq[Observer] = Nil
  ): TrainingResult = {
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
    val data = (Role.Training, training) +: validation.map((Role.Validation, _)).toIndexedSeq
    val sources = data.map { case (role, rows) =>
      (role, ShardedDataset(rows.rows, rows.encoder, shards))
    }
    val observer = new Observers(Progress(conf).toSeq ++ Seq(TrainingPoster(sc)) ++ observers)
    val session = Session.open(sc, spec, sources, executors, Conf.Threads.get(conf), observer)
    try {
      data.foreach { case (role, _) => checkRows(role, session.rowsOf(role)) }
      val plan = new EpochPlan(session.rowsOf(Role.Training), settings.batchSize)
      observer.started(info(spec, plan.records, session.executors))
      val run = new Run(session, plan, observer, measures = validation.isDefined)
      val last = run.toEnd(TrainingState(plan.length.toLong))
      val result = new TrainingResult(last.epochs, session.write())
      observer.ended(None)
      result
    } catch {
      case e: Throwable =>
        observer.ended(Some(e))
        throw e
    } finally {
      session.close()
      sc.clearCallSite()
    }
  }

  private def info(spec: TrainingSpec, records: Long, executors: Int): TrainingInfo = {
    val (name, layers) = ModelSummary.of(spec.definition)
    TrainingInfo(
      spec.id,
      name,
      layers,
      spec.loss,
      spec.optimizer,
      spec.shards,
      spec.batchSize,
      settings.epochs,
      records,
      spec.seed,
      executors
    )
  }

  private def checkRows(role: Role, rows: IndexedSeq[Long]): Unit =
    if (rows.sum == 0) {
      throw new DataException(s"$role: expected rows, got none. Look at the DataFrame's filters.")
    }

  /** The loop of a training: from state to state. */
  private final class Run(
      session: Session,
      plan: EpochPlan,
      observer: Observer,
      measures: Boolean
  ) {
    private val groups = new GroupSize(Conf.Group.get(conf).flatten)
    private val times = mutable.ArrayBuffer.empty[Double]

    @tailrec def toEnd(state: TrainingState): TrainingState =
      if (state.epoch >= settings.epochs) state else toEnd(next(state))

    private def next(state: TrainingState): TrainingState =
      try {
        val (after, hash) = iterate(state)
        if (after.epochEnded && after.iteration > state.iteration) {
          endEpoch(after, hash.getOrElse(session.hash()))
        } else {
          after
        }
      } catch {
        case e: StateLostException =>
          logWarning(s"${e.getMessage}: begins anew")
          session.restart()
          TrainingState(plan.length.toLong)
      }

    /** As many iterations as the next job is to run; the weights' hash if the job made it. */
    private def iterate(state: TrainingState): (TrainingState, Option[String]) = {
      val left = plan.steps(state.epoch).drop(state.index.toInt)
      val steps = untilParameters(left.take(groups.next(left.length)))
      val begin = System.nanoTime
      val endsEpoch = steps.length == left.length
      val iterated = session.iterate(steps, groups.iterationMs, hashes = endsEpoch)
      val ms = (System.nanoTime - begin) / 1e6
      groups.ended(steps.length, ms, iterated.isWhole)
      val after = steps.zip(iterated.losses).foldLeft(state) { case (before, (step, losses)) =>
        val one =
          before.afterIteration(losses.map(_.lossSum).sum, step.count, ms / steps.length / 1000)
        checkLoss(one.lossSum, step)
        times += ms / steps.length
        one
      }
      if (iterated.isWhole) {
        observer.iterated(done(steps, iterated, ms, after))
        if (observer.wantsParameters(after.iteration, after.epochEnded)) {
          observer.parameters(after.iteration, session.histograms())
        }
      }
      (after, iterated.hash)
    }

    /** Those that a job may run before somebody wants to see the weights. */
    private def untilParameters(steps: IndexedSeq[Step]): IndexedSeq[Step] = {
      val wanted = steps.indexWhere { step =>
        observer.wantsParameters(step.iteration + 1, step.index + 1 == step.of)
      }
      if (wanted < 0) steps else steps.take(wanted + 1)
    }

    private def done(
        steps: IndexedSeq[Step],
        iterated: Iterated,
        ms: Double,
        after: TrainingState
    ): IterationsDone = {
      val ran = steps.zip(iterated.losses)
      val last = ran.last._1
      IterationsDone(
        last.iteration + 1 - ran.length,
        last.epoch.toInt,
        ran.map { case (step, losses) => losses.map(_.lossSum).sum / step.count },
        ran.map { case (step, _) => step.count },
        ms,
        session.learningRate(last),
        after.epochEnded,
        after.meanLoss,
        after.records,
        iterated.executors
      )
    }

    private def endEpoch(state: TrainingState, hash: String): TrainingState = {
      val evaluation = Option.when(measures)(session.evaluate())
      val measured = evaluation.foldLeft(state)(_.afterMeasurement(_))
      val result = EpochResult(
        state.epoch.toInt - 1,
        state.meanLoss,
        state.records,
        state.seconds,
        times.sorted.apply(times.length / 2),
        hash,
        evaluation
      )
      times.clear()
      logInfo(s"epoch ${result.epoch}: loss ${result.loss}, weights ${result.weightsHash}")
      evaluation.foreach(one => observer.validated(state.iteration, Metric.of(one)))
      observer.epochEnded(state.iteration, result)
      measured.afterEpoch(result)
    }
  }

  private def checkLoss(lossSum: Double, step: Step): Unit =
    if (lossSum.isNaN || lossSum.isInfinite) {
      throw new DivergedException(
        s"training: expected a finite loss, got $lossSum at iteration ${step.iteration} (epoch " +
          s"${step.epoch}). Lower the learning rate, clip the gradients, or scale the features."
      )
    }
}
