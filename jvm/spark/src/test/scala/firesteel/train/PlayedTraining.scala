package firesteel.train

import java.util.UUID

/** Tells an observer of a training that loses an executor and gets another one; nothing is trained. */
object PlayedTraining {
  val info: TrainingInfo = TrainingInfo(
    UUID.fromString("00000000-0000-0000-0000-00000000002a"),
    "lenet5",
    Seq(LayerInfo("conv", "Conv2D", 156), LayerInfo("dense", "Dense", 850)),
    """{"class":"CrossEntropy"}""",
    """{"class":"Adam","config":{"learning_rate":0.01}}""",
    shards = 6,
    batchSize = 128,
    epochs = Epochs,
    records = Epoch * 128L,
    seed = 42,
    executors = 3
  )

  private def Epochs = 6
  private def Epoch = 100
  private def Job = 20

  /** Number of iterations of the whole training. */
  val iterations: Int = Epochs * Epoch

  /** Mean loss of an iteration. */
  def loss(iteration: Long): Double =
    0.25 + 2.1 * math.exp(-iteration / 120.0) + 0.05 * math.sin(iteration * 0.7)

  /** Validation after some iterations. */
  def evaluation(done: Long): Evaluation =
    Evaluation(1000, 1000 * (loss(done) + 0.1), 900 - 400 / done)

  /** All of it; `work` is called for each job. */
  def play(observer: Observer, error: Option[Throwable] = None)(work: => Unit): Unit = {
    observer.started(info)
    for (epoch <- 0 until Epochs) {
      val begin = epoch * Epoch
      for (first <- begin until begin + Epoch by Job) {
        if (first == 240) {
          observer.clusterChanged(ClusterChange(240, 3, 2, "executor 2 was lost", 840))
        }
        if (first == 400) observer.clusterChanged(ClusterChange(400, 2, 3, "executor 4 joined", 35))
        work
        observer.iterated(job(first.toLong, epoch, executorsAt(first)))
      }
      val done = (begin + Epoch).toLong
      val measured = evaluation(done)
      observer.validated(done, Metric.of(measured))
      observer.epochEnded(
        done,
        EpochResult(epoch, loss(done), Epoch * 128L, 1.9, 19, f"$epoch%064x", Some(measured))
      )
    }
    observer.ended(error)
  }

  /** Some iterations in one job. */
  def job(first: Long, epoch: Int = 0, executors: Seq[String] = Seq("1", "2")): IterationsDone = {
    val range = first until first + Job
    val times = executors.map { id =>
      val compute = if (id == "3") 26.0 else 17.0 + id.toInt
      ExecutorTimes(id, Job * compute, Job * (29.0 - compute), id.toInt * 48000000L)
    }
    IterationsDone(
      first,
      epoch,
      range.map(loss),
      range.map(_ => 128L),
      wallMs = Job * 31.0,
      learningRate = 0.01 / (1 + first / 300.0),
      isEpochEnd = (first + Job) % Epoch == 0,
      epochLoss = loss(first),
      epochRecords = (first % Epoch + Job) * 128,
      times.toIndexedSeq
    )
  }

  private def executorsAt(iteration: Int): Seq[String] =
    if (iteration < 240) Seq("1", "2", "3")
    else if (iteration < 400) Seq("1", "3") else Seq("1", "3", "4")
}
