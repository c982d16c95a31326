package org.apache.spark.firesteel

import java.io.IOException
import java.net.{InetAddress, ServerSocket}
import java.util.UUID

import scala.util.Random

import firesteel.train.Address

/** Both ends of a connection, and what each does about the other's failures. */
class ExchangeSuite extends ExchangeFixture {
  private val authenticated =
    Seq("spark.authenticate" -> "true", "spark.authenticate.secret" -> "secret of the test")
  private val encrypted = authenticated :+ ("spark.network.crypto.enabled" -> "true")
  private val sasl = authenticated :+ ("spark.authenticate.enableSaslEncryption" -> "true")

  private def slicesArrive(settings: (String, String)*): Unit = {
    val recorder = new Recorder(Map(training -> secret))
    withExchange(recorder, settings: _*) { exchange =>
      val random = new Random(1)
      val slices = Seq(0, 1, 1000, 300000).map(n => (s"slice of $n bytes", random.nextBytes(n)))
      val connections = exchange.connections(training, secret)
      slices.foreach { case (header, body) =>
        assert(push(connections, exchange.address, header, body).isEmpty)
      }
      assert(recorder.arrived(training) == slices.map { case (h, b) => (h, b.toSeq) }.toMap)
      val failure = push(connections, exchange.address, "long", new Array[Byte](2 << 20))
      assert(failure.exists(_.getMessage.contains("slice refused: too long")))
      assert(push(connections, exchange.address, "after", Array(1)).isEmpty)
    }
  }

  test("slices arrive whole, and a refused one does no harm to the next") {
    slicesArrive()
  }

  test("slices arrive with Spark's authentication") {
    slicesArrive(authenticated: _*)
  }

  test("slices arrive with Spark's authentication and SASL encryption") {
    slicesArrive(sasl: _*)
  }

  test("slices arrive with Spark's authentication and AES encryption") {
    slicesArrive(encrypted: _*)
  }

  test("slices arrive with TLS") {
    slicesArrive(TestKey.settings: _*)
  }

  test("slices arrive with TLS and Spark's authentication") {
    slicesArrive(TestKey.settings ++ authenticated: _*)
  }

  test("who has another secret, or another training, sends nothing") {
    val recorder = new Recorder(Map(training -> secret))
    withExchange(recorder) { exchange =>
      Seq(training -> UUID.randomUUID(), UUID.randomUUID() -> secret).foreach { case (id, key) =>
        val connections = exchange.connections(id, key)
        val failure = push(connections, exchange.address, "slice", Array(1))
        assert(failure.exists(_.getMessage.contains("got one ")))
        exchange.leave(id)
      }
      assert(recorder.opened.get == 0)
    }
  }

  test("a server that does not know the secret gets no slice") {
    withExchange(new Recorder(Map.empty)) { exchange =>
      val impostor = new ServerSocket(0, 10, InetAddress.getLoopbackAddress)
      @volatile var heard = 0
      val listener = new Thread(() => {
        val socket = impostor.accept()
        heard = socket.getInputStream.readNBytes(Handshake.HelloLength).length
        socket.getOutputStream.write(Array.fill[Byte](1 + 2 * Handshake.Length)(Handshake.Known))
        heard += socket.getInputStream.readAllBytes().length
      })
      listener.start()
      val connections = exchange.connections(training, secret)
      val failure =
        push(connections, Address("127.0.0.1", impostor.getLocalPort), "slice", Array(1))
      assert(failure.exists(_.getMessage.contains("got one with another secret")))
      listener.join()
      assert(heard == Handshake.HelloLength)
      impostor.close()
    }
  }

  test("a server that speaks before it is asked is left at once") {
    withExchange(new Recorder(Map.empty)) { exchange =>
      val impostor = new ServerSocket(0, 10, InetAddress.getLoopbackAddress)
      val speaker = new Thread(() => {
        val socket = impostor.accept()
        try {
          val much = new Array[Byte](1 << 20)
          (1 to 1000).foreach(_ => socket.getOutputStream.write(much))
        } catch { case _: IOException => socket.close() }
      })
      speaker.start()
      val connections = exchange.connections(training, secret)
      val peer = Address("127.0.0.1", impostor.getLocalPort)
      assert(push(connections, peer, "slice", Array(1)).nonEmpty)
      speaker.join()
      impostor.close()
    }
  }

  test("a peer that was never there, hangs or is gone is told at once, without blocking") {
    withExchange(
      new Recorder(Map(training -> secret)),
      "spark.firesteel.io.connectionCreationTimeout" -> "1s"
    ) { exchange =>
      val connections = exchange.connections(training, secret)
      val closed = new ServerSocket(0)
      closed.close()
      val hung = new ServerSocket(0, 10, InetAddress.getLoopbackAddress)
      Seq(closed, hung).foreach { server =>
        val peer = Address("127.0.0.1", server.getLocalPort)
        assert(!connections.isDisconnected(peer))
        val begun = System.nanoTime
        val failed = pushing(connections, peer, "slice", Array(1))
        assert(System.nanoTime - begun < 1e9)
        assert(await(failed).exists(_.getMessage.nonEmpty))
        assert(System.nanoTime - begun < 10e9)
        assert(connections.isDisconnected(peer))
      }
      hung.close()
    }
  }

  test("the end of a peer is seen although nothing was ever sent to it") {
    val receiver = new Recorder(Map(training -> secret))
    withExchange(receiver) { exchange =>
      val peer = new Exchange(receiver)
      val connections = exchange.connections(training, secret)
      connections.connect(peer.address)
      awaitMillis(receiver.asked.get == 1)
      assert(push(connections, exchange.address, "slice", Array(1)).isEmpty)
      assert(!connections.isDisconnected(peer.address))
      peer.close()
      val millis = awaitMillis(connections.isDisconnected(peer.address))
      info(s"seen after $millis ms")
      assert(millis < 1000)
      assert(!connections.isDisconnected(exchange.address))
    }
  }

  test("ending a connection fails what is underway, and the next slice makes a new one") {
    val receiver = new Recorder(Map(training -> secret))
    withExchange(receiver) { exchange =>
      val hung = new ServerSocket(0, 10, InetAddress.getLoopbackAddress)
      val connections = exchange.connections(training, secret)
      val peer = Address("127.0.0.1", hung.getLocalPort)
      val failed = pushing(connections, peer, "slice", Array(1))
      connections.disconnect(peer)
      assert(await(failed).exists(_.getMessage.contains("ended on this side")))
      assert(push(connections, exchange.address, "one", Array(1)).isEmpty)
      connections.disconnect(exchange.address)
      assert(push(connections, exchange.address, "two", Array(2)).isEmpty)
      hung.close()
      assert(receiver.arrived(training).keySet == Set("one", "two"))
    }
  }

  test("a training that has ended keeps no connection") {
    val receiver = new Recorder(Map(training -> secret))
    withExchange(receiver) { exchange =>
      val connections = exchange.connections(training, secret)
      assert(push(connections, exchange.address, "slice", Array(1)).isEmpty)
      exchange.leave(training)
      assert(push(connections, exchange.address, "late", Array(1)).nonEmpty)
      assert(receiver.arrived(training).keySet == Set("slice"))
    }
  }
}
