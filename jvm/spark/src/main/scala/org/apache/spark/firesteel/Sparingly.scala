package org.apache.spark.firesteel

import java.util.concurrent.TimeUnit

import scala.collection.mutable

/**
 * What is logged of a flood: one line for each host, and ten in all, in a minute.
 *
 * @param now nanoseconds since some moment
 */
private[firesteel] final class Sparingly(now: () => Long) {
  private val logged = mutable.Set.empty[String]
  private var begun = now()
  private var omitted = 0L

  /** Whether a line about `host` is due; if so, what it says about those that were not. */
  def line(host: String): Option[String] = synchronized {
    val time = now()
    if (time - begun >= Sparingly.Minute) {
      logged.clear()
      begun = time
    }
    if (logged.size < Sparingly.Lines && logged.add(host)) {
      val note = if (omitted == 0) "" else s" ($omitted more were not logged)"
      omitted = 0
      Some(note)
    } else {
      omitted += 1
      None
    }
  }
}

private object Sparingly {
  val Lines = 10
  val Minute: Long = TimeUnit.MINUTES.toNanos(1)
}
