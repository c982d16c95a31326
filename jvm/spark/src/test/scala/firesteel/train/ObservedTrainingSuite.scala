package firesteel.train

import scala.collection.mutable

import org.apache.spark.firesteel.Cluster
import org.apache.spark.sql.SparkSession

import firesteel.jni.Histogram
import firesteel.optim.SGD

/** What observers are told of real trainings. */
class ObservedTrainingSuite extends TrainingFixture {

  private class Recording extends Observer {
    val infos = mutable.ArrayBuffer.empty[TrainingInfo]
    val jobs = mutable.ArrayBuffer.empty[IterationsDone]
    val validations = mutable.ArrayBuffer.empty[(Long, Seq[Metric])]
    val epochs = mutable.ArrayBuffer.empty[(Long, EpochResult)]
    val changes = mutable.ArrayBuffer.empty[ClusterChange]
    val ends = mutable.ArrayBuffer.empty[Option[Throwable]]

    override def started(training: TrainingInfo): Unit = infos += training
    override def iterated(iterations: IterationsDone): Unit = jobs += iterations
    override def validated(done: Long, metrics: Seq[Metric]): Unit =
      validations += (done -> metrics)
    override def epochEnded(done: Long, result: EpochResult): Unit = epochs += (done -> result)
    override def clusterChanged(change: ClusterChange): Unit = changes += change
    override def ended(error: Option[Throwable]): Unit = ends += error
  }

  private def observed(spark: SparkSession, observer: Observer, probe: Probe = NoProbe)(
      what: TrainingSettings
  ): TrainingResult = {
    val validation = Some(encoded(rows(spark, count = 100)))
    new Trainer(spark, what, probe).fit(encoded(rows(spark)), validation, Seq(observer))
  }

  private def checkIterations(seen: Recording, result: TrainingResult): Unit = {
    assert(seen.jobs.map(_.first) == seen.jobs.scanLeft(0L)(_ + _.count).init)
    assert(seen.jobs.last.done == 36)
    assert(seen.jobs.flatMap(_.records).sum == 1800)
    assert(seen.epochs.map(_._1) == Seq(12, 24, 36))
    assert(seen.epochs.map(_._2) == result.epochs)
    for ((job, next) <- seen.jobs.zip(seen.jobs.drop(1))) {
      assert(job.isEpochEnd == (next.epoch > job.epoch))
    }
    result.epochs.foreach { epoch =>
      val jobs = seen.jobs.filter(_.epoch == epoch.epoch)
      val mean = jobs.flatMap(job => job.losses.zip(job.records)).map { case (l, n) =>
        l * n
      }.sum / 600
      assert(math.abs(mean - epoch.loss) < 1e-9)
      assert(jobs.last.epochLoss == epoch.loss && jobs.last.epochRecords == 600)
      assert(seen.validations(epoch.epoch)._2.head == Metric("Loss", epoch.validation.get.loss))
    }
  }

  test("observers are told of every iteration, validation and epoch") {
    withSpark("local[2]") { spark =>
      val seen = new Recording
      checkIterations(seen, observed(spark, seen)(settings()))
      assert(seen.infos.map(_.parameters) == Seq(67))
      assert(seen.infos.map(info => (info.records, info.shards, info.epochs)) == Seq((600, 4, 3)))
      assert(seen.ends == Seq(None))
      assert(seen.changes.isEmpty)
      seen.jobs.foreach { job =>
        assert(job.executors.map(_.executor) == Seq("driver"))
        assert(job.learningRate == 0.01)
        assert(job.executors.forall(times => times.computeMs > 0 && times.nativeBytes > 0))
        assert(job.split.schedulingMs > 0)
      }
    }
  }

  test("observers see the weights whenever they want, and change nothing by it") {
    val seen = mutable.ArrayBuffer.empty[(Long, Seq[(String, Histogram)])]
    val watching = new Observer {
      override def wantsParameters(done: Long, isEpochEnd: Boolean): Boolean =
        done % 5 == 0 || isEpochEnd
      override def parameters(done: Long, histograms: Seq[(String, Histogram)]): Unit =
        seen += (done -> histograms)
    }
    val hashes = Seq(new Observer {}, watching).map { observer =>
      withSpark("local[2]", "spark.firesteel.group" -> "50") { spark =>
        observed(spark, observer)(settings()).weightsHash
      }
    }
    assert(hashes.distinct.length == 1)
    assert(seen.map(_._1) == Seq(5, 10, 12, 15, 20, 24, 25, 30, 35, 36))
    seen.foreach { case (_, histograms) =>
      assert(histograms.map(_._2.num) == Seq(32, 8, 24, 3))
      assert(histograms.map(_._1).distinct.length == 4)
      histograms.foreach { case (_, one) =>
        assert(one.counts.sum == one.num)
        assert(one.lows.head <= one.min && one.max < one.highs.last)
      }
    }
    assert(seen.map(_._2.map(_._2.sum)).distinct.length == seen.length)
  }

  test("observers are told why a training ended") {
    withSpark("local[2]") { spark =>
      val seen = new Recording
      intercept[DivergedException](observed(spark, seen)(settings(optimizer = SGD(3e38))))
      assert(seen.ends.flatten.map(_.getClass) == Seq(classOf[DivergedException]))
    }
  }

  test("where another job holds the slot, iterations are alone, and all are told of") {
    withSpark("local[1]", "spark.firesteel.group" -> "6") { spark =>
      val seen = new Recording {
        override def iterated(iterations: IterationsDone): Unit = {
          super.iterated(iterations)
          if (iterations.done == 7) {
            spark.sparkContext
              .range(0, 1, 1, 1)
              .map { one => Thread.sleep(500); one }
              .foreachAsync(_ => ())
            while (Cluster.runningTasks(spark.sparkContext).values.sum == 0) Thread.sleep(5)
          }
        }
      }
      checkIterations(seen, observed(spark, seen)(settings()))
      assert(seen.jobs.map(_.count).take(4) == Seq(1, 6, 1, 4))
    }
  }

  test("observers are told of a lost executor, and of no iteration that came to nothing") {
    withSpark("local-cluster[2,1,1024]", "spark.firesteel.group" -> "6") { spark =>
      val seen = new Recording
      val result = observed(spark, seen, new DieOnce(Phase.ForwardBackward, 5))(settings())
      checkIterations(seen, result)
      val lost = seen.changes.head
      assert((lost.before, lost.after) == ((2, 1)))
      assert(lost.done <= 5)
      assert(lost.ms > 0)
      assert(seen.jobs.head.executors.length == 2)
      assert(seen.jobs.exists(_.executors.length == 1))
    }
  }
}
