package firesteel.train

import org.apache.spark.TaskContext
import org.apache.spark.sql.SparkSession

import firesteel.jni.NativeBuffer
import firesteel.nn._
import firesteel.optim.SGD

/** Two executors, each a JVM of its own. */
class ClusterSuite extends TrainingFixture {
  private val cluster = "local-cluster[2,1,1024]"

  /** Native memory of the executors. */
  private def allocated(spark: SparkSession): Set[Long] =
    spark.sparkContext.parallelize(1 to 8, 8).map(_ => NativeBuffer.allocated()).collect().toSet

  test("two executors give the weights of one and keep no native memory") {
    val expected = withSpark("local[2]")(train(_).epochs.map(_.weightsHash))
    withSpark(cluster) { spark =>
      assert(train(spark).epochs.map(_.weightsHash) == expected)
      assert(train(spark).epochs.map(_.weightsHash) == expected)
      intercept[DivergedException](train(spark, settings(optimizer = SGD(3e38), epochs = 5)))
      assert(allocated(spark) == Set(0L))
    }
  }

  test("a task that fails after its work is done changes nothing") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    withSpark(cluster) { spark =>
      Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
        assert(train(spark, probe = new FailOnce(phase, 5)).weightsHash == expected)
      }
    }
  }

  test("grouped iterations give the weights of iterations one at a time") {
    val expected = withSpark("local[2]")(train(_).epochs.map(_.weightsHash))
    Seq("1", "3", "50").foreach { group =>
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        assert(train(spark).epochs.map(_.weightsHash) == expected)
        assert(allocated(spark) == Set(0L))
      }
    }
  }

  test("a task that fails within a group sends all back to the group's start, at once") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    withSpark(
      cluster,
      "spark.firesteel.group" -> "6",
      "spark.firesteel.group.timeout" -> "600"
    ) { spark =>
      val jobs = new JobNames(spark)
      Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync).foreach { phase =>
        assert(train(spark, probe = new FailOnce(phase, 5)).weightsHash == expected)
      }
      assert(allocated(spark) == Set(0L))
      spark.stop()
      assert(jobs.containing("joining") == Seq.fill(2)(Seq(
        "joining view 1",
        "joining view 2"
      )).flatten)
    }
  }

  test("a task that is waited for too long within a group sends all back to its start") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    withSpark(
      cluster,
      "spark.firesteel.group" -> "6",
      "spark.firesteel.group.timeout" -> "2"
    ) { spark =>
      val jobs = new JobNames(spark)
      assert(train(spark, probe = new SleepOnce(5, millis = 2500)).weightsHash == expected)
      spark.stop()
      assert(jobs.containing("joining").length >= 2)
    }
  }

  test("tasks that land on the wrong executor are placed again") {
    val expected = withSpark("local[2]")(train(_, settings(shards = 5)).weightsHash)
    withSpark("local-cluster[2,2,1024]", "spark.locality.wait" -> "0") { spark =>
      assert(train(spark, settings(shards = 5)).weightsHash == expected)
    }
  }

  test("slices of many network frames arrive whole") {
    val wide = Sequential(Seq(4), Dense(2000, activation = "tanh"), Dense(200), Dense(3))
    val large = settings(epochs = 1).copy(definition = wide.toJson)
    val expected = withSpark("local[2]")(train(_, large).weightsHash)
    withSpark(cluster) { spark =>
      assert(train(spark, large).weightsHash == expected)
    }
  }

  test("slices travel with authentication and encryption") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    withSpark(
      cluster,
      "spark.authenticate" -> "true",
      "spark.authenticate.secret" -> "secret of the test",
      "spark.network.crypto.enabled" -> "true"
    ) { spark =>
      assert(train(spark).weightsHash == expected)
    }
  }

  test("a lost executor changes nothing, whenever it is lost") {
    val expected = withSpark("local[2]")(train(_).weightsHash)
    for (group <- Seq("1", "6"); phase <- Seq[Phase](Phase.ForwardBackward, Phase.ParameterSync)) {
      withSpark(cluster, "spark.firesteel.group" -> group) { spark =>
        val probe = new DieOnce(phase, 5)
        assert(train(spark, probe = probe).weightsHash == expected, s"$group $phase")
      }
    }
  }

  test("an executor without the native library is an exception with the remedy") {
    withSpark(cluster, "spark.executorEnv.FIRESTEEL_NATIVE" -> "/nowhere") { spark =>
      val e = intercept[ExecutorNativeException](train(spark))
      assert(e.getMessage.contains("executor 0"))
      assert(e.getMessage.contains("/nowhere"))
    }
  }
}

/** Makes task 0 late in one phase of an iteration. */
private final class SleepOnce(iteration: Long, millis: Long) extends Probe {
  @volatile private var hasSlept = false

  override def ended(phase: Phase, when: Long, attempt: Int): Unit =
    if (when == iteration && !hasSlept && TaskContext.getPartitionId() == 0) {
      hasSlept = true
      Thread.sleep(millis)
    }
}

/** Ends the JVM of the member that ends a phase of one iteration first. */
final class DieOnce(phase: Phase, iteration: Long) extends Probe {
  private val mark = Mark()

  override def ended(which: Phase, when: Long, attempt: Int): Unit =
    if (which == phase && when == iteration && mark.isFirst) Runtime.getRuntime.halt(137)
}
