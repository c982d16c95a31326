package org.apache.spark.firesteel

import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.util.UUID
import java.util.concurrent.{CompletableFuture, TimeUnit}

import firesteel.SparkSuite
import firesteel.train.{Address, SliceReceiver}

/** A training with two ends in this JVM. */
abstract class ExchangeFixture extends SparkSuite {
  protected val training: UUID = UUID.randomUUID()
  protected val secret: UUID = UUID.randomUUID()

  /** Runs a test with the exchange of `receiver`, in a session with these settings. */
  protected def withExchange(receiver: SliceReceiver, settings: (String, String)*)(
      test: Exchange => Unit
  ): Unit = withSpark("local[1]", settings: _*) { _ =>
    val exchange = new Exchange(receiver)
    try test(exchange)
    finally exchange.close()
  }

  /** Sends a slice; the failure, if it did not arrive. */
  protected def push(
      connections: Connections,
      to: Address,
      header: String,
      body: Array[Byte]
  ): Option[Throwable] = await(pushing(connections, to, header, body))

  /** Starts sending a slice. */
  protected def pushing(
      connections: Connections,
      to: Address,
      header: String,
      body: Array[Byte]
  ): CompletableFuture[Option[Throwable]] = {
    val done = new CompletableFuture[Option[Throwable]]
    connections.push(
      to,
      ByteBuffer.wrap(header.getBytes(UTF_8)),
      ByteBuffer.wrap(body),
      failure => if (!done.complete(failure)) throw new IllegalStateException("done twice")
    )
    done
  }

  protected def await[T](future: CompletableFuture[T]): T = future.get(60, TimeUnit.SECONDS)

  /** Waits until `condition` holds; the milliseconds it took. */
  protected def awaitMillis(condition: => Boolean): Long = {
    val begun = System.nanoTime
    while (!condition) {
      assert(System.nanoTime - begun < TimeUnit.SECONDS.toNanos(60), "waited in vain")
      Thread.sleep(1)
    }
    TimeUnit.NANOSECONDS.toMillis(System.nanoTime - begun)
  }
}
