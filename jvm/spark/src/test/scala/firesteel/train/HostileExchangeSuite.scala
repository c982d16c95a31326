package firesteel.train

import java.nio.file.{Files, Path}
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger

import org.apache.spark.firesteel.{Mischief, Stranger, TestKey, Witness}
import org.apache.spark.sql.SparkSession

/** Strangers at the exchanges of a training that goes on. */
class HostileExchangeSuite extends TrainingFixture {
  private val what = settings(epochs = 30)

  private def witnesses(spark: SparkSession): Set[Witness] =
    spark.sparkContext
      .parallelize(1 to 8, 8)
      .map(_ => Witness.testify(TrainingHosts))
      .collect()
      .groupBy(_.executor)
      .map(_._2.last)
      .toSet

  /** Strangers at work, who hear what a member says if it is not encrypted. */
  private def strangersChangeNothing(isHeard: Boolean, security: (String, String)*): Unit = {
    val expected = withSpark("local[2]")(train(_, what).epochs.map(_.weightsHash))
    val folder = Files.createTempDirectory("hostile")
    val options = "spark.executor.extraJavaOptions" -> s"-Djava.io.tmpdir=$folder"
    withSpark("local-cluster[2,1,1024]", options +: security: _*) { spark =>
      train(spark)
      val before = witnesses(spark)
      val spied = folder.resolve("spied")
      val siege = new Siege(before.map(_.address).toSeq, spied)
      val result =
        try train(spark, what, if (isHeard) new Spy(spied.toString) else NoProbe)
        finally siege.lift()
      val after = witnesses(spark)
      assert(result.epochs.map(_.weightsHash) == expected)
      assert(after.map(who => (who.executor, who.pid)) == before.map(w => (w.executor, w.pid)))
      assert(before.size == 2)
      val grown = after.toSeq.map(_.residentKiB).sum - before.toSeq.map(_.residentKiB).sum
      info(s"${siege.visits.get} visits, ${siege.replays.get} of a recorded session")
      info(s"memory of both executors ${grown >> 10} MiB more")
      assert(siege.visits.get > 100)
      assert((siege.replays.get > 10) == isHeard)
      assert(grown < (300L << 10))
      val lines = Files.readString(folder.resolve("unit-tests.log")).split("\n")
      val refusals = lines.count(_.contains("WARN Strangers: firesteel exchange: refused"))
      assert(refusals > 0 && refusals < 100, "lines about refusals in the log")
    }
  }

  test("strangers change no bit of a training and end no executor") {
    strangersChangeNothing(isHeard = true)
  }

  test("nor do they with TLS and Spark's authentication") {
    strangersChangeNothing(
      isHeard = false,
      TestKey.settings ++ Seq(
        "spark.authenticate" -> "true",
        "spark.authenticate.secret" -> "secret of the test"
      ): _*
    )
  }
}

/** Tells a file on which trainings this executor works, with their secrets. */
private final class Spy(file: String) extends Probe {
  override def ended(phase: Phase, iteration: Long, attempt: Int): Unit =
    if (iteration == 2 && !Files.exists(Path.of(file))) {
      val known = Witness.trainings(TrainingHosts).flatMap { training =>
        TrainingHosts.secret(training).map(secret => s"$training $secret")
      }
      Files.writeString(Path.of(s"$file.new"), known.mkString("\n"))
      Files.move(Path.of(s"$file.new"), Path.of(file))
      ()
    }
}

/**
 * A thousand idle connections, and others that come and go until the siege is lifted. Once `spied`
 * is there, they know the training's name, and what one of its members said.
 */
private final class Siege(targets: Seq[Address], spied: Path) {

  /** How often a stranger came, and how often it repeated what a member had said. */
  val visits, replays = new AtomicInteger

  @volatile private var isLifted = false
  private val idlers = Seq.tabulate(1000)(n => new Stranger(targets(n % targets.length)))

  private val threads = targets.zipWithIndex.map { case (target, n) =>
    val thread = new Thread(() => {
      besiege(new Mischief(n.toLong, target, UUID.randomUUID()), () => !Files.exists(spied))
      if (!isLifted) {
        val names = Files.readString(spied).split("\\s").map(UUID.fromString)
        val member = new Stranger(target)
        member.enter(names(0), names(1))
        member.send(Stranger.upload(Array[Byte](1, 2, 3), 0))
        member.awaitRefusal()
        val mischief = new Mischief(-n.toLong, target, names(0), member.spoken)
        besiege(mischief, () => !isLifted)
        replays.addAndGet(mischief.replays)
      }
    })
    thread.start()
    thread
  }

  /** Ends it all. */
  def lift(): Unit = {
    isLifted = true
    threads.foreach(_.join())
    idlers.foreach(_.close())
  }

  private def besiege(mischief: Mischief, goesOn: () => Boolean): Unit =
    while (!isLifted && goesOn()) {
      mischief.outside()
      visits.incrementAndGet()
      Thread.sleep(2)
    }
}
