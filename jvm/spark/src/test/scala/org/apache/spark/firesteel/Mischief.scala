package org.apache.spark.firesteel

import java.io.IOException
import java.net.SocketTimeoutException
import java.nio.ByteBuffer
import java.util.UUID

import scala.util.Random

import firesteel.train.Address

/**
 * What strangers may try at an exchange, drawn at random from a seed.
 *
 * @param training a training that is there, if its name is known
 * @param recording what a member of it said once, if that was heard
 */
final class Mischief(
    seed: Long,
    address: Address,
    training: UUID,
    recording: Array[Byte] = Array.empty
) {
  private val random = new Random(seed)
  private val hello = Handshake.hello(training, Handshake.nonce())

  /** The lengths that programs trip over. */
  private val lengths =
    Seq(0L, -1L, 7L, 8L, 9L, 21L, 1024L, 1025L, Int.MaxValue.toLong, 1L << 31, 1L << 62, Long.MinValue)

  /** How often the recording was sent as it is. */
  var replays: Int = 0

  /** One connection of a stranger. */
  def outside(): Unit = withStranger { stranger =>
    random.nextInt(9) match {
      case 0 => stranger.send(random.nextBytes(1 + random.nextInt(4096)))
      case 1 => stranger.send(hello.take(random.nextInt(hello.length)))
      case 2 => stranger.send(flipped(hello) ++ random.nextBytes(random.nextInt(100)))
      case 3 => stranger.send(hello ++ random.nextBytes(Handshake.Length + random.nextInt(9000)))
      case 4 =>
        stranger.send(recording)
        replays += 1
      case 5 => stranger.send(flipped(recording))
      case 6 => stranger.send(long(pick(lengths)) ++ random.nextBytes(random.nextInt(9000)))
      case 7 => stranger.send(Stranger.message(random.nextInt(14), random.nextBytes(60)))
      case 8 => stranger.send(hello ++ hello ++ recording)
    }
  }

  /** One connection of a member that has lost its mind. */
  def inside(secret: UUID): Unit = withStranger { member =>
    member.enter(training, secret)
    val name = random.nextBytes(random.nextInt(80))
    val body = random.nextBytes(random.nextInt(3000))
    val slice = Stranger.upload(name, body.length.toLong) ++ body
    random.nextInt(8) match {
      case 0 => member.send(random.nextBytes(1 + random.nextInt(4096)))
      case 1 => member.send(flipped(slice))
      case 2 => member.send(slice.take(random.nextInt(slice.length)))
      case 3 => member.send(long(pick(lengths)) ++ slice)
      case 4 => member.send(Stranger.upload(name, pick(lengths)) ++ body)
      case 5 => member.send(Stranger.message(random.nextInt(14), body))
      case 6 => member.send(slice ++ slice ++ flipped(slice))
      case 7 =>
        val at = random.nextInt(Stranger.upload(name, 0).length - 4)
        member.send(ByteBuffer.wrap(slice).putInt(at, random.nextInt()).array())
    }
  }

  private def withStranger(act: Stranger => Unit): Unit = {
    val stranger = new Stranger(address)
    try {
      act(stranger)
      if (random.nextInt(4) == 0) {
        stranger.endSpeech()
        stranger.awaitRefusal()
      }
    } catch {
      case e: SocketTimeoutException => throw e
      case _: IOException => ()
    } finally stranger.close()
  }

  private def pick[T](values: Seq[T]): T = values(random.nextInt(values.length))

  private def long(value: Long): Array[Byte] = ByteBuffer.allocate(8).putLong(value).array()

  /** The bytes with up to three bits turned over. */
  private def flipped(bytes: Array[Byte]): Array[Byte] = {
    val other = bytes.clone()
    if (other.nonEmpty) (0 to random.nextInt(3)).foreach { _ =>
      val at = random.nextInt(other.length)
      other(at) = (other(at) ^ (1 << random.nextInt(8))).toByte
    }
    other
  }
}
