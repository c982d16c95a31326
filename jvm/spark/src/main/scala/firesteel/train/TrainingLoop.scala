package firesteel.train

import scala.annotation.tailrec
import scala.collection.mutable

import org.apache.spark.SparkConf
import org.apache.spark.internal.Logging

import firesteel.Conf
import firesteel.data.Role
import firesteel.optim.Trigger

/**
 * The loop of a training: from state to state, until its end.
 *
 * @param validates whether there are validation rows
 */
private[train] final class TrainingLoop(
    session: TrainingSession,
    settings: TrainingSettings,
    checkpoints: Option[Checkpoints],
    observer: Observer,
    conf: SparkConf,
    validates: Boolean
) extends Logging {
  private val groups = new GroupSize(Conf.Group.get(conf).flatten)
  private val endWhen = settings.endWhen.getOrElse(Trigger.maxEpoch(settings.epochs))
  private val validationTrigger = Some(settings.validationTrigger).filter(_ => validates)
  private val triggers =
    Seq(endWhen) ++ validationTrigger ++ settings.checkpoint.map(_.trigger)
  private val needsLoss = triggers.exists(_.needsLoss)
  private val times = mutable.ArrayBuffer.empty[Double]

  /** Length of a group that is cut short because a trigger fires within it. */
  private var cut = Option.empty[Int]

  private lazy val plan = new EpochPlan(
    session.rowsOf(Role.Training),
    settings.strategy.iterationRows(settings.batchSize)
  )
  private lazy val identity = TrainingIdentity(
    settings.definition,
    settings.loss,
    settings.optimizer,
    settings.batchSize,
    settings.seed,
    session.rowsOf(Role.Training).toVector,
    settings.microBatch.getOrElse(0),
    settings.strategy
  )

  /**
   * The state to begin with: that of the checkpoint, of the one before it if it is damaged, or that
   * of a new training.
   *
   * @throws CheckpointException if the checkpoint is of another training, or all are damaged
   */
  @tailrec def begin(from: Option[Checkpoint]): TrainingState = {
    val damage =
      try {
        session.begin(from)
        None
      } catch {
        case e: CheckpointException => Some(e)
      }
    damage match {
      case None =>
        from.zip(checkpoints).fold(TrainingState(plan.length.toLong)) { case (checkpoint, all) =>
          logInfo(s"goes on with ${checkpoint.path}, weights ${checkpoint.manifest.weightsHash}")
          all.stateOf(checkpoint, identity, plan.length.toLong)
        }
      case Some(e) =>
        val before = for (all <- checkpoints; one <- from; earlier <- all.before(one)) yield earlier
        if (before.isEmpty) throw e
        logWarning(e.getMessage)
        begin(before)
    }
  }

  /** Trains until the end. */
  @tailrec def toEnd(state: TrainingState): TrainingState =
    if (endWhen(state)) state else toEnd(next(state))

  private def next(state: TrainingState): TrainingState =
    try {
      val (after, hash) = iterate(state)
      if (after.iteration == state.iteration) after
      else {
        val measured = validationTrigger.filter(_(after)).fold(after)(_ => measure(after))
        val ended = if (after.epochEnded) endEpoch(measured, hash) else measured
        checkpoints.foreach(_.save(ended, identity, session))
        ended
      }
    } catch {
      case e: StateLostException =>
        logWarning(s"${e.getMessage}: goes back to the last checkpoint, or to the start")
        begin(checkpoints.flatMap(_.latest()))
    }

  /** As many iterations as the next job is to run; the weights' hash if the job made it. */
  private def iterate(state: TrainingState): (TrainingState, Option[String]) = {
    val left = plan.steps(state)
    val most = (left.length.toLong +: triggers.map(_.horizon(state))).min.toInt
    val factor = session.rateFactor(state)
    val wanted = untilParameters(left.take(cut.getOrElse(groups.next(most))))
      .map(_.copy(rateFactor = factor))
    cut = None
    val begin = System.nanoTime
    val iterated =
      session.iterate(wanted, groups.iterationMs, hashes = wanted.length == left.length)
    val ms = (System.nanoTime - begin) / 1e6
    val steps = wanted.take(iterated.losses.length)
    groups.ended(if (iterated.isWhole) steps.length else wanted.length, ms, iterated.isWhole)
    val states = steps.zip(iterated.losses).scanLeft(state) { case (before, (step, losses)) =>
      val after =
        before.afterIteration(losses.map(_.lossSum).sum, step.count, ms / steps.length / 1000)
      checkLoss(after.lossSum, step)
      after
    }
    val fired =
      if (needsLoss) states.indexWhere(one => triggers.exists(t => t.needsLoss && t(one)), 1)
      else -1
    if (fired > 0 && fired < states.length - 1) {
      session.goBack(state.iteration)
      cut = Some(fired)
      (state, None)
    } else {
      if (iterated.isWhole) {
        times ++= Seq.fill(steps.length)(ms / steps.length)
        tell(done(steps, iterated, ms, states.last))
      }
      (states.last, iterated.hash)
    }
  }

  /** Those that a job may run before somebody wants to see the weights. */
  private def untilParameters(steps: IndexedSeq[Step]): IndexedSeq[Step] = {
    val wanted = steps.indexWhere { step =>
      observer.wantsParameters(step.iteration + 1, step.index + 1 == step.of)
    }
    if (wanted < 0) steps else steps.take(wanted + 1)
  }

  private def tell(iterations: IterationsDone): Unit = {
    observer.iterated(iterations)
    if (observer.wantsParameters(iterations.done, iterations.isEpochEnd)) {
      observer.parameters(iterations.done, session.histograms())
    }
  }

  private def done(
      steps: IndexedSeq[Step],
      iterated: Iterated,
      ms: Double,
      after: TrainingState
  ): IterationsDone = {
    val last = steps.last
    IterationsDone(
      steps.head.iteration,
      last.epoch.toInt,
      steps.zip(iterated.losses).map { case (step, losses) =>
        losses.map(_.lossSum).sum / step.count
      },
      steps.map(_.count),
      ms,
      session.learningRate(last),
      after.epochEnded,
      after.meanLoss,
      after.records,
      iterated.executors
    )
  }

  private def measure(state: TrainingState): TrainingState = {
    val evaluation = session.evaluate()
    observer.validated(state.iteration, Metric.of(evaluation))
    state.afterMeasurement(evaluation)
  }

  private def endEpoch(state: TrainingState, hash: Option[String]): TrainingState = {
    val result = EpochResult(
      (state.epoch - 1).toInt,
      state.meanLoss,
      state.records,
      state.seconds,
      times.sorted.apply(times.length / 2),
      hash.getOrElse(session.hash()),
      state.measurements.lastOption.filter(_.iteration == state.iteration).map(_.evaluation)
    )
    times.clear()
    logInfo(s"epoch ${result.epoch}: loss ${result.loss}, weights ${result.weightsHash}")
    observer.epochEnded(state.iteration, result)
    state.afterEpoch(result)
  }

  private def checkLoss(lossSum: Double, step: Step): Unit =
    if (lossSum.isNaN || lossSum.isInfinite) {
      throw new DivergedException(
        s"training: expected a finite loss, got $lossSum at iteration ${step.iteration} (epoch " +
          s"${step.epoch}). Lower the learning rate, clip the gradients, or scale the features."
      )
    }
}
