package org.apache.spark.firesteel

import org.apache.spark.SparkContext
import org.apache.spark.scheduler.{ExecutorCacheTaskLocation, TaskSchedulerImpl}
import org.apache.spark.util.Utils

/** An executor with its cores; `driver` is the only one of a local master. */
final case class Executor(id: String, host: String, cores: Int) {

  /** The form in which an RDD wishes for this executor. */
  def location: String = ExecutorCacheTaskLocation(host, id).toString
}

/** The executors of an application. */
object Cluster {

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

  /** The ids of the executors that are alive. */
  def executorIds(sc: SparkContext): Set[String] =
    if (sc.isLocal && !sc.master.startsWith("local-cluster")) {
      Set(SparkContext.DRIVER_IDENTIFIER)
    } else {
      sc.getExecutorIds().toSet
    }

  /** Number of tasks that run on each executor that is alive. */
  def runningTasks(sc: SparkContext): Map[String, Int] = {
    val running = sc.taskScheduler match {
      case scheduler: TaskSchedulerImpl => scheduler.runningTasksByExecutors
      case _ => Map.empty[String, Int]
    }
    executorIds(sc).map(id => (id, running.getOrElse(id, 0))).toMap
  }
}
