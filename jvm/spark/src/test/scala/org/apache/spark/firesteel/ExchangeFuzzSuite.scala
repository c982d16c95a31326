package org.apache.spark.firesteel

import java.lang.management.ManagementFactory
import java.util.UUID

import scala.collection.mutable
import scala.util.Random

import org.apache.spark.network.util.NettyUtils

/** Thousands of hostile connections while the slices of a training go their way. */
class ExchangeFuzzSuite extends ExchangeFixture {
  private val connections = 4000

  /** A training of which a member has lost its mind. */
  private val strange = UUID.randomUUID()
  private val strangeSecret = UUID.randomUUID()

  /** What Netty has of the system for the server's connections. */
  private def directMemory: Long =
    NettyUtils.getSharedPooledByteBufAllocator(true, true).metric.usedDirectMemory

  private def heap: Long = {
    System.gc()
    ManagementFactory.getMemoryMXBean.getHeapMemoryUsage.getUsed
  }

  /** What a member of the training said to send a slice. */
  private def record(exchange: Exchange, recorder: Recorder): Array[Byte] = {
    val member = new Stranger(exchange.address)
    member.enter(training, secret)
    member.send(Stranger.upload("recorded".getBytes("UTF-8"), 3) ++ Array[Byte](7, 8, 9))
    awaitMillis(recorder.arrived(training).contains("recorded"))
    member.close()
    member.spoken
  }

  test("whatever is sent, slices arrive as they were, sinks end, and memory stays bounded") {
    val recorder = new Recorder(Map(training -> secret, strange -> strangeSecret))
    withExchange(recorder) { exchange =>
      val outsider = new Mischief(1, exchange.address, training, record(exchange, recorder))
      val madman = new Mischief(2, exchange.address, strange)
      val members = exchange.connections(training, secret)
      val random = new Random(3)
      val sent = mutable.Map("recorded" -> Seq[Byte](7, 8, 9))
      val heapBefore = heap
      val directBefore = directMemory
      var directPeak = 0L
      (1 to connections).foreach { n =>
        if (n % 2 == 0) outsider.outside() else madman.inside(strangeSecret)
        if (n % 40 == 0) {
          val body = random.nextBytes(100000)
          sent(s"slice $n") = body.toSeq
          assert(push(members, exchange.address, s"slice $n", body).isEmpty)
          directPeak = math.max(directPeak, directMemory)
        }
      }
      assert(recorder.arrived(training) == sent)
      awaitMillis(recorder.ended.get == recorder.opened.get)
      val grown = heap - heapBefore
      info(s"direct memory ${directBefore >> 20} MiB, at most ${directPeak >> 20} MiB")
      info(s"heap grown by ${grown >> 20} MiB, slices opened ${recorder.opened.get}")
      assert(directPeak > 0)
      assert(directPeak - directBefore < (64L << 20))
      assert(grown < (64L << 20))
    }
  }
}
