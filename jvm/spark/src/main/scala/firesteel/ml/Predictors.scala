package firesteel.ml

import java.util.concurrent.{Executors, TimeUnit}

import scala.collection.mutable

import firesteel.jni.NativePredictor

/** Which weights: the model's uid and their hash. */
private[ml] final case class PredictorKey(uid: String, weightsHash: String)

/**
 * The predictors of this JVM: one copy of the weights per model, shared by all tasks, freed when no
 * task has used it for a while.
 */
private[ml] object Predictors {
  private val IdleSeconds = 30L
  private val entries = mutable.Map.empty[PredictorKey, Entry]
  private lazy val cleaner = Executors.newSingleThreadScheduledExecutor { task =>
    val thread = new Thread(task, "firesteel-predictors")
    thread.setDaemon(true)
    thread
  }

  private final class Entry(val predictor: NativePredictor) {
    var users = 0
    var idleSince = 0L
  }

  /** The predictor of these weights; every call must be followed by one of [[release]]. */
  def acquire(key: PredictorKey, model: SentModel): NativePredictor = synchronized {
    val entry = entries.getOrElseUpdate(key, new Entry(model.open()))
    entry.users += 1
    entry.predictor
  }

  /** Ends one use. */
  def release(key: PredictorKey): Unit = synchronized {
    entries.get(key).foreach { entry =>
      entry.users -= 1
      entry.idleSince = System.nanoTime
      if (entry.users == 0) {
        val task: Runnable = () => closeIdle(IdleSeconds)
        cleaner.schedule(task, IdleSeconds + 1, TimeUnit.SECONDS)
        ()
      }
    }
  }

  /** Frees the predictors that nobody has used for `seconds`. */
  def closeIdle(seconds: Long): Unit = synchronized {
    val now = System.nanoTime
    val idle = entries.filter { case (_, entry) =>
      entry.users == 0 && now - entry.idleSince >= TimeUnit.SECONDS.toNanos(seconds)
    }
    idle.foreach { case (key, entry) =>
      entries.remove(key)
      entry.predictor.close()
    }
  }
}
