package firesteel

import org.apache.spark.SparkConf

import firesteel.train.ExchangeKind

/**
 * A setting: a key of the Spark configuration (`spark-submit --conf key=value`).
 *
 * @param key its name, beginning with `spark.firesteel.`
 * @param default what holds if it is not set, in words
 * @param doc meaning, unit, range, when to change it
 */
final class Setting[T] private[firesteel] (
    val key: String,
    val default: String,
    val doc: String,
    expected: String,
    parse: String => Option[T]
) {

  /**
   * The value in `conf`, if it is set.
   *
   * @throws java.lang.IllegalArgumentException if the value is not of the right form
   */
  def get(conf: SparkConf): Option[T] = conf.getOption(key).map { text =>
    parse(text.trim).getOrElse(
      throw new IllegalArgumentException(
        s"""$key: expected $expected, got "$text". Correct or remove the setting."""
      )
    )
  }
}

/** Every setting of firesteel. */
object Conf {

  /** Number of shards S of the training set and of every batch. */
  val Shards: Setting[Int] = positive(
    "spark.firesteel.shards",
    "all cores of the application",
    "Number of shards of the training set and of every batch, 1 or more. One single-threaded " +
      "replica works on a shard at a time. The same number gives the same weights on any cluster; " +
      "use a multiple of the number of cores."
  )

  /** Threads of an executor that compute. */
  val Threads: Setting[Int] = positive(
    "spark.firesteel.threads",
    "the executor's cores",
    "Threads with which an executor computes, 1 or more. The results do not depend on it."
  )

  /** Seconds to wait for executors. */
  val ExecutorWait: Setting[Int] = positive(
    "spark.firesteel.executorWait",
    "60",
    "Seconds a training waits for the executors that the configuration promises before it starts " +
      "with those that are there."
  )

  /** How often an unfinished task is run again. */
  val Attempts: Setting[Int] = positive(
    "spark.firesteel.attempts",
    "8",
    "How often a task that missed something is run again before the training gives up, 1 or more."
  )

  /** Seconds to wait for the executors' slots. */
  val PlacementTimeout: Setting[Int] = positive(
    "spark.firesteel.placementTimeout",
    "600",
    "Seconds a training waits for an executor on which other jobs hold all slots before it gives " +
      "up."
  )

  /** Port on which an executor receives slices. */
  val ExchangePort: Setting[Int] = new Setting[Int](
    "spark.firesteel.exchange.port",
    "0",
    "Port on which an executor receives weights and gradients; 0 takes any free one. A busy port is " +
      "followed by the next, spark.port.maxRetries times.",
    "a port, 0 or 1024 to 65535",
    _.toIntOption.filter(port => port == 0 || (port >= 1024 && port <= 65535))
  )

  /** Seconds to wait until a slice has arrived. */
  val ExchangeTimeout: Setting[Int] = positive(
    "spark.firesteel.exchange.timeout",
    "120",
    "Seconds an executor waits until its slices have arrived at the other executors."
  )

  /** How weights and gradients travel; none is automatic. */
  val Exchange: Setting[Option[ExchangeKind]] = new Setting[Option[ExchangeKind]](
    "spark.firesteel.exchange",
    "auto",
    "How weights and gradients travel: slices over connections between the executors; or shuffle, " +
      "which is Spark's shuffle and broadcast and needs its public API alone, but is slower. auto " +
      "takes slices unless the platform hides Spark's private classes. The results do not depend on " +
      "it.",
    "auto, slices or shuffle",
    ExchangeKind.Names.get
  )

  /** Number of iterations of a job; none is automatic. */
  val Group: Setting[Option[Int]] = new Setting[Option[Int]](
    "spark.firesteel.group",
    "auto",
    "Number of iterations that one job runs, 1 or more, or auto: as many as make a job last about a " +
      "second. 1 means two jobs for each iteration. The results do not depend on it.",
    "auto or a whole number, 1 or more",
    text => if (text == "auto") Some(None) else text.toIntOption.filter(_ > 0).map(Some(_))
  )

  /** Seconds to wait for a slice in a group. */
  val GroupTimeout: Setting[Int] = positive(
    "spark.firesteel.group.timeout",
    "2, or the time of six iterations if that is longer",
    "Seconds an executor waits for the slices of another one. One that others wait for, and that " +
      "does not answer the driver either, is hung: Spark is asked to replace it."
  )

  /** Whether the tasks of a group are a barrier stage. */
  val GroupBarrier: Setting[Boolean] = new Setting[Boolean](
    "spark.firesteel.group.barrier",
    "false",
    "Whether a job of several iterations is a barrier stage, for platforms that insist on gang " +
      "scheduling. Barrier stages do not run under dynamic allocation.",
    "true or false",
    _.toBooleanOption
  )

  /** Whether a training ends with the hash of the optimizer's state. */
  val StateHash: Setting[Boolean] = new Setting[Boolean](
    "spark.firesteel.stateHash",
    "false",
    "Whether a training also says the SHA-256 of the optimizer's state. All of it travels to the " +
      "driver for that, piece by piece.",
    "true or false",
    _.toBooleanOption
  )

  /** Number of weights of a trained model that travel at once. */
  val ModelPiece: Setting[Int] = new Setting[Int](
    "spark.firesteel.model.piece",
    "8388608 (32 MiB)",
    "Number of weights, of 4 bytes each, of a trained model that travel at once: to the driver when a " +
      "training ends, and to the executors for predictions; 1 to 16777216. Lower it if " +
      "spark.driver.maxResultSize is less than one of these pieces.",
    "a whole number, 1 to 16777216",
    _.toIntOption.filter(piece => piece > 0 && piece <= (16 << 20))
  )

  /** Whether the driver shows a progress bar. */
  val Progress: Setting[Boolean] = new Setting[Boolean](
    "spark.firesteel.progress",
    "true",
    "Whether a training shows its progress on the driver's console: a bar on a terminal if " +
      "spark.ui.showConsoleProgress is not false, else one line per epoch.",
    "true or false",
    _.toBooleanOption
  )

  /** All settings, in the order of the documentation. */
  val All: Seq[Setting[_]] =
    Seq(
      Shards,
      Threads,
      ExecutorWait,
      Attempts,
      PlacementTimeout,
      Exchange,
      ExchangePort,
      ExchangeTimeout,
      Group,
      GroupTimeout,
      GroupBarrier,
      StateHash,
      ModelPiece,
      Progress
    )

  private def positive(key: String, default: String, doc: String): Setting[Int] =
    new Setting[Int](key, default, doc, "a whole number, 1 or more", _.toIntOption.filter(_ > 0))
}
