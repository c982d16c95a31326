package org.apache.spark.firesteel

import scala.util.Try

import org.apache.spark.{MapOutputTrackerMaster, SparkContext}
import org.apache.spark.scheduler.{
  ExecutorCacheTaskLocation,
  ExecutorProcessLost,
  TaskSchedulerImpl
}
import org.apache.spark.scheduler.cluster.CoarseGrainedClusterMessages.RemoveExecutor
import org.apache.spark.scheduler.cluster.CoarseGrainedSchedulerBackend
import org.apache.spark.util.Utils

/** An executor with its cores; `driver` is the only one of a local master. */
final case class Executor(id: String, host: String, cores: Int) {

  /** The form in which an RDD wishes for this executor. */
  def location: String = ExecutorCacheTaskLocation(host, id).toString
}

/** The executors of an application. */
object Cluster {

  /** The id of the only executor of a local master. */
  val Driver: String = SparkContext.DRIVER_IDENTIFIER

  /** Those that can take tasks now, in the order of their numbers. */
  def executors(sc: SparkContext): Seq[Executor] = {
    val alive = executorIds(sc)
    sc.statusStore
      .executorList(activeOnly = true)
      .filter(summary => summary.totalCores > 0 && alive(summary.id))
      .map(summary =>
        Executor(summary.id, Utils.parseHostPort(summary.hostPort)._1, summary.totalCores)
      )
      .sortBy(executor => (executor.id.length, executor.id))
  }

  /**
   * The ids of the executors that are alive and are not being killed: Spark may count those for seconds
   * after their process has gone.
   */
  def executorIds(sc: SparkContext): Set[String] =
    if (sc.isLocal && !sc.master.startsWith("local-cluster")) {
      Set(Driver)
    } else {
      def isDecommissioned(id: String) =
        sc.taskScheduler.getExecutorDecommissionState(id).isDefined
      sc.getExecutorIds().filter(id => isActive(sc, id) || isDecommissioned(id)).toSet
    }

  /** Whether an executor is alive and Spark does not want to get rid of it. */
  def isStaying(sc: SparkContext, id: String): Boolean =
    executorIds(sc)(id) && isActive(sc, id)

  private def isActive(sc: SparkContext, id: String): Boolean = sc.schedulerBackend match {
    case backend: CoarseGrainedSchedulerBackend => backend.isExecutorActive(id)
    case _ => true
  }

  /** The executors that run a task of these jobs now. */
  def runningOn(sc: SparkContext, jobs: Seq[Int]): Set[String] =
    jobs
      .flatMap(sc.statusTracker.getJobInfo(_))
      .flatMap(_.stageIds())
      .flatMap(stage => Try(sc.statusStore.lastStageAttempt(stage)).toOption)
      .flatMap { stage =>
        sc.statusStore.taskList(stage.stageId, stage.attemptId, stage.numTasks + MostRepeated)
      }
      .collect { case task if task.status == "RUNNING" => task.executorId }
      .toSet

  /**
   * Makes Spark forget the shuffle files of an executor that is gone, which it does by itself a moment
   * later: a job that begins in between would look for them for seconds.
   */
  def forgetFiles(sc: SparkContext, id: String): Unit = sc.env.mapOutputTracker match {
    case tracker: MapOutputTrackerMaster if !sc.env.blockManager.externalShuffleServiceEnabled =>
      tracker.removeOutputsOnExecutor(id)
    case _ => ()
  }

  /**
   * Ends an executor that does not answer, and asks for another: nothing is scheduled there any more,
   * and what it had is made again from lineage.
   */
  def replace(sc: SparkContext, id: String, reason: String): Unit = sc.schedulerBackend match {
    case backend: CoarseGrainedSchedulerBackend =>
      backend.killExecutors(
        Seq(id),
        adjustTargetNumExecutors = false,
        countFailures = false,
        force = true
      )
      backend.driverEndpoint.send(RemoveExecutor(id, ExecutorProcessLost(reason)))
    case _ => ()
  }

  private val MostRepeated = 1000

  /** Number of tasks that run on each executor that is alive. */
  def runningTasks(sc: SparkContext): Map[String, Int] = {
    val running = sc.taskScheduler match {
      case scheduler: TaskSchedulerImpl => scheduler.runningTasksByExecutors
      case _ => Map.empty[String, Int]
    }
    executorIds(sc).map(id => (id, running.getOrElse(id, 0))).toMap
  }
}
