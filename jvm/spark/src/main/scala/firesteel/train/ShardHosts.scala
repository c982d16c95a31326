package firesteel.train

import java.net.InetAddress
import java.util.{Timer, TimerTask, UUID}

import scala.collection.mutable

/**
 * The trainings of this JVM by shuffle and broadcast.
 *
 * Spark's public API cannot reach each executor for certain, so a training that nobody has used for
 * some time is freed here by itself: a task that comes later makes it again.
 *
 * @param idleMs how long an unused training is kept, in milliseconds
 */
private[train] final class ShardHosts(idleMs: Long) {
  private final class Entry(val host: ShardHost) {
    var users = 0
    var used: Long = System.nanoTime
    @volatile var isProven = false
    var isOver = false

    /** Nobody comes any more; who works with it works to the end. */
    def end(): Unit = {
      isOver = true
      if (users == 0) host.close()
    }
  }

  private val entries = mutable.Map.empty[UUID, Entry]
  private val ended = mutable.Set.empty[UUID]
  private lazy val timer = new Timer("firesteel-idle-trainings", true)

  /**
   * Works with this JVM's part of a training.
   *
   * The driver knows the JVMs whose tasks succeeded, and frees the training there at its end. So where
   * none ever did, nothing is kept.
   */
  def using[R](spec: TrainingSpec)(work: ShardHost => R): R = {
    val entry = enter(spec)
    try {
      val result = work(entry.host)
      entry.isProven = true
      result
    } finally leave(spec.id, entry)
  }

  /** Frees this JVM's part of a training, which has ended. */
  def release(id: UUID): Unit = synchronized {
    ended += id
    entries.remove(id).foreach(_.end())
  }

  private def enter(spec: TrainingSpec): Entry = synchronized {
    if (ended(spec.id)) {
      throw new IllegalStateException(
        s"training ${spec.id}: it has ended on ${ShardHosts.process}."
      )
    }
    val entry = entries.getOrElseUpdate(
      spec.id, {
        watch(spec.id)
        new Entry(new ShardHost(spec))
      }
    )
    entry.users += 1
    entry
  }

  private def leave(id: UUID, entry: Entry): Unit = synchronized {
    entry.users -= 1
    entry.used = System.nanoTime
    if (entry.isOver) entry.end()
    else if (!entry.isProven && entry.users == 0) {
      entries -= id
      entry.end()
    }
  }

  private def watch(id: UUID): Unit =
    timer.schedule(
      new TimerTask {
        override def run(): Unit = if (!isKept(id)) {
          cancel()
          ()
        }
      },
      idleMs,
      math.max(1, idleMs / 4)
    )

  /** Whether a training is still here; it is freed if nobody has used it for long. */
  private def isKept(id: UUID): Boolean = synchronized {
    val idle = entries.get(id).filter { entry =>
      entry.users == 0 && System.nanoTime - entry.used > idleMs * 1000000
    }
    idle.foreach { entry =>
      entries -= id
      entry.end()
    }
    entries.contains(id)
  }
}

private[train] object ShardHosts {

  /** Those of this JVM. */
  val here: ShardHosts = new ShardHosts(idleMs = 600000)

  /** The name of this JVM. */
  lazy val process: String =
    s"${InetAddress.getLocalHost.getHostName}:${ProcessHandle.current().pid()}"
}
