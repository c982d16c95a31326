package firesteel.train

import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.scheduler._
import org.apache.spark.sql.SparkSession

import firesteel.jni.NativeBuffer

/** Executors that come, leave, hang and die while a training runs. */
class ElasticSuite extends TrainingFixture {
  private val cluster = "local-cluster[2,1,1024]"
  private val long = settings(epochs = 12)

  private def expected: String = withSpark("local[2]")(train(_, long).weightsHash)

  /** Does something, once, when a job of this iteration or a later one starts. */
  private def atIteration(spark: SparkSession, iteration: Int)(act: => Unit): Unit = {
    val isDone = new AtomicBoolean
    val Iteration = """(?:forward-backward|iterations?) (\d+).*""".r
    spark.sparkContext.addSparkListener(new SparkListener {
      override def onJobStart(job: SparkListenerJobStart): Unit =
        Option(job.properties.getProperty("callSite.short")).foreach {
          case Iteration(number)
              if number.toInt >= iteration && isDone.compareAndSet(false, true) =>
            new Thread(() => act).start()
          case _ => ()
        }
    })
  }

  /** The numbers of members of the views, in their order; a busy machine may repeat one. */
  private def viewSizes(jobs: JobSizes): Seq[Int] =
    jobs.of("joining").foldLeft(Vector.empty[Int]) { (sizes, size) =>
      if (sizes.lastOption.contains(size)) sizes else sizes :+ size
    }

  test("an executor that is taken away and one that comes change nothing") {
    val hash = expected
    Seq("1", "4").foreach { group =>
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        val jobs = new JobSizes(spark)
        val sc = spark.sparkContext
        atIteration(spark, 20) { sc.killExecutors(Seq("0")); () }
        atIteration(spark, 40) { sc.requestTotalExecutors(2, 0, Map.empty); () }
        assert(train(spark, long, new Pace(millis = 60)).weightsHash == hash)
        val allocated =
          sc.parallelize(1 to 8, 8).map(_ => NativeBuffer.allocated()).collect().toSet
        assert(allocated == Set(0L))
        spark.stop()
        assert(viewSizes(jobs) == Seq(2, 1, 2), s"group $group")
      }
    }
  }

  test("a hung executor is replaced and changes nothing") {
    val hash = expected
    Seq("1", "4").foreach { group =>
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        val jobs = new JobSizes(spark)
        assert(train(spark, long, new HangOnce(30)).weightsHash == hash)
        spark.stop()
        assert(viewSizes(jobs).contains(1), s"group $group")
      }
    }
  }

  test("a training whose only executor dies begins anew") {
    val hash = expected
    withSpark("local-cluster[1,1,1024]") { spark =>
      val jobs = new JobNames(spark)
      val probe = new DieOnce(Phase.ParameterSync, 30)
      assert(train(spark, long, probe).weightsHash == hash)
      spark.stop()
      assert(jobs.containing("joining").length == 2)
    }
  }
}

/** The numbers of tasks of the jobs of a session, in their order. */
final class JobSizes(spark: SparkSession) {
  private val sizes = scala.collection.mutable.ArrayBuffer.empty[(String, Int)]

  spark.sparkContext.addSparkListener(new SparkListener {
    override def onJobStart(job: SparkListenerJobStart): Unit = sizes.synchronized {
      Option(job.properties.getProperty("callSite.short")).foreach { name =>
        sizes += ((name, job.stageInfos.maxBy(_.stageId).numTasks))
      }
    }
  })

  /** Those of jobs whose name begins like this, after the session has ended. */
  def of(name: String): Seq[Int] =
    sizes.synchronized(sizes.collect { case (one, size) if one.startsWith(name) => size }.toSeq)
}

/** Makes every iteration take some time. */
private final class Pace(millis: Long) extends Probe {
  override def ended(phase: Phase, iteration: Long, attempt: Int): Unit =
    if (phase == Phase.ForwardBackward) Thread.sleep(millis)
}

/** Stops the process of the member that ends this iteration first, as if it hung. */
private final class HangOnce(iteration: Long) extends Probe {
  private val mark = Mark()

  override def ended(phase: Phase, when: Long, attempt: Int): Unit =
    if (when == iteration && mark.isFirst) {
      new ProcessBuilder("kill", "-STOP", ProcessHandle.current().pid().toString).start().waitFor()
      ()
    }
}
