package firesteel.train

import java.util.UUID

import org.apache.spark.firesteel.ui.TrainingPoster
import org.apache.spark.internal.Logging
import org.apache.spark.sql.{Dataset, Row, SparkSession}

import firesteel.Conf
import firesteel.data.{DataException, Role, RowEncoder, ShardedDataset}
import firesteel.optim.Trigger

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
 * @param endWhen when it ends, in place of `epochs`
 * @param validationTrigger when the validation rows are measured
 * @param checkpoint where and when checkpoints are written
 * @param microBatch most rows of a shard that are computed at a time; all if not given
 * @param strategy what the shards exchange
 */
final case class TrainingSettings(
    definition: String,
    loss: String,
    optimizer: String,
    batchSize: Int,
    epochs: Int,
    seed: Long,
    shards: Option[Int] = None,
    endWhen: Option[Trigger] = None,
    validationTrigger: Trigger = Trigger.everyEpoch,
    checkpoint: Option[CheckpointSettings] = None,
    microBatch: Option[Int] = None,
    strategy: Strategy = Strategy()
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
   * @throws CheckpointException if a checkpoint cannot be written, or gone on with
   */
  def fit(
      training: TrainingRows,
      validation: Option[TrainingRows],
      observers: Seq[Observer] = Nil
  ): TrainingResult = {
    val checkpoints = settings.checkpoint.map { to =>
      new Checkpoints(to, new CheckpointStore(to.path, to.keep, spark.sessionState.newHadoopConf()))
    }
    val found = checkpoints.flatMap(_.begin())
    val data = (Role.Training, training) +: validation.map((Role.Validation, _)).toIndexedSeq
    val web = PrivateSpark.ifLinked("Training tab")(poster)
    val observer = new Observers(Progress(conf).toSeq ++ web ++ observers)
    val session = open(found, data, observer)
    val interrupts = sc.getLocalProperty(Trainer.Interrupts)
    // Else a cancelled task that fetches from an executor that is gone holds its slot for seconds.
    sc.setInterruptOnCancel(true)
    try {
      val loop =
        new TrainingLoop(session, settings, checkpoints, observer, conf, validation.isDefined)
      val start = loop.begin(found)
      data.foreach { case (role, _) => checkRows(role, session.rowsOf(role)) }
      observer.started(info(session.spec, session.rowsOf(Role.Training).sum, session.executors))
      val end = loop.toEnd(start)
      val model = session.write()
      val state = Option.when(Conf.StateHash.get(conf).getOrElse(false))(session.stateHash())
      val result = new TrainingResult(end.epochs, model, model.weightsHash, state)
      observer.ended(None)
      result
    } catch {
      case e: Throwable =>
        observer.ended(Some(e))
        throw e
    } finally {
      session.close()
      sc.clearCallSite()
      sc.setLocalProperty(Trainer.Interrupts, interrupts)
    }
  }

  /** Of a type that is always there: the JVM links it before [[PrivateSpark.ifLinked]] is called. */
  private def poster: Observer = TrainingPoster(sc)

  /** The session, of the kind that is set or that this platform can link. */
  private def open(
      found: Option[Checkpoint],
      data: IndexedSeq[(Role, TrainingRows)],
      observer: Observer
  ): TrainingSession = {
    val wait = Conf.ExecutorWait.get(conf).getOrElse(60)
    def sources(shards: Int) = data.map { case (role, rows) =>
      (role, ShardedDataset(rows.rows, rows.encoder, shards))
    }
    def slices: TrainingSession = {
      val executors = Executors.await(sc, wait)
      val spec = specOf(found, executors.map(_.cores).sum)
      Session.open(sc, spec, sources(spec.shards), executors, Conf.Threads.get(conf), observer)
    }
    def shuffle: TrainingSession = {
      val spec = specOf(found, PublicSession.awaitCores(sc, wait))
      PublicSession.open(sc, spec, sources(spec.shards))
    }
    ExchangeKind.open(Conf.Exchange.get(conf).flatten, slices, shuffle)
  }

  private def specOf(found: Option[Checkpoint], cores: Int): TrainingSpec =
    TrainingSpec(
      UUID.randomUUID(),
      UUID.randomUUID(),
      settings.definition,
      settings.loss,
      settings.optimizer,
      settings.shards
        .orElse(found.map(_.manifest.identity.rows.length))
        .orElse(Conf.Shards.get(conf))
        .getOrElse(cores),
      settings.seed,
      settings.batchSize,
      settings.microBatch.getOrElse(0),
      settings.strategy,
      probe
    )

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
}

private object Trainer {
  private val Interrupts = "spark.job.interruptOnCancel"
}
