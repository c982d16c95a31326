package org.apache.spark.firesteel

import java.util.concurrent.TimeUnit

import org.scalatest.funsuite.AnyFunSuite

class SparinglySuite extends AnyFunSuite {
  private var now = 5L
  private val sparingly = new Sparingly(() => now)

  test("a host gets one line in a minute, and all hosts ten; what was left out is counted") {
    assert(sparingly.line("a").contains(""))
    assert(sparingly.line("a").isEmpty)
    assert(sparingly.line("b").contains(" (1 more were not logged)"))
    val others = (1 to 1000).count(n => sparingly.line(s"host $n").isDefined)
    assert(others == 8)
    now += TimeUnit.SECONDS.toNanos(60)
    assert(sparingly.line("a").contains(" (992 more were not logged)"))
    assert(sparingly.line("a").isEmpty)
  }
}
