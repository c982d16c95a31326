package firesteel.train

import org.apache.spark.SparkContext
import org.apache.spark.firesteel.{Cluster, Executor}

/** The executors with which a training begins. */
private[train] object Executors {

  /**
   * The executors of an application, after those that its configuration promises have come or
   * `waitSeconds` are over. Without a promise, an application that has just begun waits until no
   * more come.
   *
   * @throws TrainingException if there is none
   */
  def await(sc: SparkContext, waitSeconds: Int): Seq[Executor] = {
    val deadline = System.nanoTime + waitSeconds * 1000000000L
    val promised = promisedExecutors(sc)
    var executors = Cluster.executors(sc)
    var changed = System.nanoTime
    def isComplete: Boolean = promised match {
      case Some(count) => executors.length >= count
      case None => executors.nonEmpty && (hasSettled(sc) || System.nanoTime - changed > SettlingNs)
    }
    while (!isComplete && System.nanoTime < deadline) {
      Thread.sleep(50)
      val now = Cluster.executors(sc)
      if (now.length != executors.length) changed = System.nanoTime
      executors = now
    }
    if (executors.isEmpty) {
      throw new TrainingException(
        s"training: expected an executor, got none in $waitSeconds s. Look whether the cluster has " +
          "free resources."
      )
    }
    executors
  }

  private def hasSettled(sc: SparkContext): Boolean =
    System.currentTimeMillis - sc.startTime > 30000

  private def promisedExecutors(sc: SparkContext): Option[Int] = {
    val conf = sc.getConf
    def number(key: String): Option[Int] = conf.getOption(key).flatMap(_.toIntOption)
    sc.master match {
      case LocalCluster(executors) => Some(executors.toInt)
      case local if local.startsWith("local") => Some(1)
      case _ =>
        number("spark.executor.instances").orElse(for {
          all <- number("spark.cores.max")
          each <- number("spark.executor.cores")
        } yield math.max(1, all / each))
    }
  }

  private val LocalCluster = """local-cluster\[\s*(\d+)\s*,.*""".r
  private val SettlingNs = 1000000000L
}
