package firesteel.examples

import java.io.PrintStream

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper
import org.apache.spark.SparkContext
import org.apache.spark.scheduler._

/** Writes events as lines of JSON: what, when (`at`, Unix time in milliseconds), details. */
private[examples] final class TrainingEvents(sc: SparkContext, out: PrintStream) {
  private val json = new ObjectMapper
  private val alive = mutable.LinkedHashSet.empty[String]

  sc.addSparkListener(new SparkListener {
    private val names = mutable.Map.empty[Int, String]

    override def onJobStart(job: SparkListenerJobStart): Unit =
      Option(job.properties.getProperty("callSite.short")).foreach { name =>
        names.put(job.jobId, name)
        tellAt(job.time, "job", "name" -> name)
      }

    override def onJobEnd(job: SparkListenerJobEnd): Unit =
      names.remove(job.jobId).foreach { name =>
        tellAt(job.time, "job ended", "name" -> name, "well" -> (job.jobResult == JobSucceeded))
      }

    override def onExecutorAdded(added: SparkListenerExecutorAdded): Unit = {
      alive.synchronized(alive.add(added.executorId))
      tellAt(added.time, "executor added", "executor" -> added.executorId)
    }

    override def onExecutorRemoved(removed: SparkListenerExecutorRemoved): Unit = {
      alive.synchronized(alive.remove(removed.executorId))
      val details = Seq("executor" -> removed.executorId, "reason" -> removed.reason)
      tellAt(removed.time, "executor removed", details: _*)
    }
  })

  /** The executors that came while this listened, the oldest first. */
  def executors: Seq[String] = alive.synchronized(alive.toSeq)

  /** Tells of something that happens now. */
  def tell(what: String, details: (String, Any)*): Unit =
    tellAt(System.currentTimeMillis, what, details: _*)

  private def tellAt(at: Long, what: String, details: (String, Any)*): Unit = {
    val event = Seq[(String, Any)]("event" -> what, "at" -> at) ++ details
    val line = json.writeValueAsString(mutable.LinkedHashMap(event: _*).asJava)
    out.synchronized {
      out.println(line)
      out.flush()
    }
  }
}
