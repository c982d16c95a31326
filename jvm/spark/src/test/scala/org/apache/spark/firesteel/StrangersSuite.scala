package org.apache.spark.firesteel

import java.io.IOException
import java.nio.ByteBuffer
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger

import org.apache.spark.network.protocol.Message

import firesteel.train.Address

/** What becomes of those who do not belong to a training, or do not keep to the rules. */
class StrangersSuite extends ExchangeFixture {

  /** Runs a test with an exchange and shows at its end that it still works. */
  private def withServer(settings: (String, String)*)(test: (Exchange, Recorder) => Unit): Unit = {
    val recorder = new Recorder(Map(training -> secret))
    withExchange(recorder, settings: _*) { exchange =>
      test(exchange, recorder)
      val connections = exchange.connections(training, secret)
      assert(push(connections, exchange.address, "the last", Array(1, 2)).isEmpty)
      assert(recorder.arrived(training)("the last") == Seq[Byte](1, 2))
    }
  }

  private def withStranger(exchange: Exchange)(test: Stranger => Unit): Unit = {
    val stranger = new Stranger(exchange.address)
    try test(stranger)
    finally stranger.close()
  }

  test("whatever does not begin with a handshake is refused at its first bytes") {
    withServer() { (exchange, recorder) =>
      val garbage = Seq(
        "GET / HTTP/1.1\r\n\r\n".getBytes("UTF-8"),
        Array[Byte](0x16, 3, 1, 2, 0, 1, 0, 1, -4, 3, 3),
        new Array[Byte](4),
        Stranger.message(Message.Type.RpcRequest.id.toInt, new Array[Byte](12)),
        Stranger.upload("slice".getBytes("UTF-8"), 5)
      )
      garbage.foreach { bytes =>
        withStranger(exchange) { stranger =>
          stranger.send(bytes)
          stranger.awaitRefusal()
        }
      }
      assert(recorder.asked.get == 0)
    }
  }

  test("a recorded session is worth nothing the second time, and does not hold the secret") {
    withServer() { (exchange, recorder) =>
      val session = withRecording(exchange, recorder)
      val key = ByteBuffer.allocate(16)
      key.putLong(secret.getMostSignificantBits).putLong(secret.getLeastSignificantBits)
      assert(!session.containsSlice(key.array))
      val begun = recorder.opened.get
      withStranger(exchange) { stranger =>
        stranger.send(session)
        stranger.awaitRefusal()
      }
      assert(recorder.opened.get == begun)
    }
  }

  /** What a member of the training said until its slice had arrived. */
  private def withRecording(exchange: Exchange, recorder: Recorder): Array[Byte] = {
    var session = Array.empty[Byte]
    withStranger(exchange) { member =>
      member.enter(training, secret)
      member.send(Stranger.upload("recorded".getBytes("UTF-8"), 3) ++ Array[Byte](7, 8, 9))
      awaitMillis(recorder.arrived(training).contains("recorded"))
      session = member.spoken
    }
    session
  }

  test("a proof that was made for another server is refused") {
    withServer() { (exchange, recorder) =>
      withStranger(exchange) { relay =>
        val other = Address(exchange.address.host, exchange.address.port + 1)
        intercept[IOException](relay.enter(training, secret, called = other))
      }
      assert(recorder.opened.get == 0)
    }
  }

  test("after the handshake only streams pass, with small headers and lengths that can be") {
    withServer() { (exchange, recorder) =>
      val kinds = (0 to 255).filter(_ != Message.Type.UploadStream.id.toInt)
      val lengths = Seq(0L, -1L, 8L, 20L, 1025L, Int.MaxValue, 1L << 31, 1L << 62, Long.MinValue)
      val header = "slice".getBytes("UTF-8")
      val wrong =
        kinds.map(Stranger.message(_, new Array[Byte](20))) ++
          lengths.map(length => ByteBuffer.allocate(8).putLong(length).array()) ++
          Seq(-1L, 1L << 31, 1L << 62, Long.MinValue).map(Stranger.upload(header, _)) ++
          Seq(Stranger.upload(new Array[Byte](1000), 5)) ++
          Seq(-1, 4, 6, Int.MaxValue).map { length =>
            ByteBuffer.wrap(Stranger.upload(header, 5)).putInt(17, length).array()
          }
      wrong.foreach { bytes =>
        withStranger(exchange) { member =>
          member.enter(training, secret)
          member.send(bytes)
          member.awaitRefusal()
        }
      }
      assert(recorder.opened.get == 0)
    }
  }

  test("a stream that breaks off ends its sink once") {
    withServer() { (exchange, recorder) =>
      withStranger(exchange) { member =>
        member.enter(training, secret)
        member.send(Stranger.upload("broken".getBytes("UTF-8"), 100000) ++ new Array[Byte](10))
        awaitMillis(recorder.opened.get == 1)
      }
      awaitMillis(recorder.ended.get == 1)
      assert(recorder.arrived(training).isEmpty)
    }
  }

  test("a thousand idle strangers keep nobody out, and are gone after ten seconds") {
    withServer() { (exchange, recorder) =>
      val strangers = Seq.tabulate(1000) { n =>
        val stranger = new Stranger(exchange.address)
        if (n % 2 == 0) stranger.send(Handshake.hello(training, Handshake.nonce()).take(n % 50))
        stranger
      }
      val connections = exchange.connections(training, secret)
      val begun = System.nanoTime
      assert(push(connections, exchange.address, "slice", Array(1)).isEmpty)
      info(s"a slice passed after ${(System.nanoTime - begun) / 1000000} ms")
      strangers.foreach(_.awaitRefusal())
      assert(System.nanoTime - begun < 30e9)
      strangers.foreach(_.close())
    }
  }

  test("those who belong here get in while others come and go, a thousand in a second") {
    withServer() { (exchange, recorder) =>
      @volatile var isOver = false
      val come = new AtomicInteger
      val flood = Seq.fill(2)(new Thread(() => {
        while (!isOver) {
          val some = Seq.fill(100)(new Stranger(exchange.address))
          some.foreach(_.close())
          come.addAndGet(some.length)
          Thread.sleep(100)
        }
      }))
      flood.foreach(_.start())
      try {
        (1 to 50).foreach { n =>
          val connections = exchange.connections(training, secret)
          assert(push(connections, exchange.address, s"slice $n", Array(n.toByte)).isEmpty)
          exchange.leave(training)
        }
      } finally {
        isOver = true
        flood.foreach(_.join())
      }
      info(s"${come.get} strangers came")
      assert(recorder.arrived(training).size == 50)
    }
  }

  test("with TLS, what is no TLS is refused") {
    withServer(TestKey.settings: _*) { (exchange, recorder) =>
      Seq(Handshake.hello(training, Handshake.nonce()), new Array[Byte](100000)).foreach { bytes =>
        withStranger(exchange) { stranger =>
          stranger.send(bytes)
          stranger.awaitRefusal()
        }
      }
      assert(recorder.asked.get == 0)
    }
  }

  test("with TLS, who speaks it needs the secret all the same") {
    withServer(TestKey.settings: _*) { (exchange, recorder) =>
      def call(): Stranger = new Stranger(exchange.address, TestKey.connect(exchange.address))
      val member = call()
      member.enter(training, secret)
      member.close()
      val stranger = call()
      intercept[IOException](stranger.enter(training, UUID.randomUUID()))
      stranger.close()
      assert(recorder.opened.get == 0)
    }
  }
}
