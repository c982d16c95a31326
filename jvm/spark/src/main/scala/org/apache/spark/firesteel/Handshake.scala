package org.apache.spark.firesteel

import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.security.{MessageDigest, SecureRandom}
import java.util.UUID
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec

import firesteel.train.Address

/**
 * How both ends of a connection prove that they know a training's secret, which itself never travels.
 *
 * {{{
 * client → server   magic, training, client's nonce   52 bytes
 * server → client   known, server's nonce, proof      65 bytes, or unknown, 1 byte
 * client → server   client's proof                    32 bytes
 * server → client   known, or unknown                  1 byte
 * }}}
 *
 * A proof is HMAC-SHA256(secret, side ‖ training ‖ client's nonce ‖ server's nonce ‖ server's address).
 * The nonces are fresh, so what was heard once is worth nothing later; the sides differ, so a proof
 * cannot be sent back; with the address, what was meant for another server cannot be passed on.
 *
 * @param secret of the training
 * @param server the address at which the client calls
 */
private[firesteel] final class Handshake(
    training: UUID,
    secret: UUID,
    server: Address,
    clientNonce: Array[Byte],
    serverNonce: Array[Byte]
) {

  /** What only a server that knows the secret can say. */
  def serverProof: Array[Byte] = proof('s')

  /** What only a client that knows the secret can say. */
  def clientProof: Array[Byte] = proof('c')

  private def proof(side: Char): Array[Byte] = {
    val mac = Mac.getInstance(Handshake.Algorithm)
    mac.init(new SecretKeySpec(Handshake.bytes(secret), Handshake.Algorithm))
    mac.update(side.toByte)
    Seq(Handshake.bytes(training), clientNonce, serverNonce).foreach(mac.update)
    mac.doFinal(s"${server.host}:${server.port}".getBytes(UTF_8))
  }
}

private[firesteel] object Handshake {
  private val Algorithm = "HmacSHA256"
  private val random = new SecureRandom

  /** Begins what a client says first: `FSX` and the version of the protocol. */
  val Magic: Int = 0x46535801

  /** Bytes of a nonce, and of a proof. */
  val Length: Int = 32

  /** Bytes that a client says first. */
  val HelloLength: Int = 4 + 16 + Length

  /** Before a server's proof: it takes part in the training. After the client's: it is welcome. */
  val Known: Byte = 1

  /** The server does not take part in the training; the client's proof is wrong. */
  val Unknown: Byte = 0

  /** Random bytes that are never used again. */
  def nonce(): Array[Byte] = {
    val bytes = new Array[Byte](Length)
    random.nextBytes(bytes)
    bytes
  }

  /** What a client says first. */
  def hello(training: UUID, nonce: Array[Byte]): Array[Byte] =
    ByteBuffer.allocate(HelloLength).putInt(Magic).put(bytes(training)).put(nonce).array()

  /** Whether two proofs are equal, in a time that does not depend on where they differ. */
  def isEqual(one: Array[Byte], other: Array[Byte]): Boolean = MessageDigest.isEqual(one, other)

  private def bytes(id: UUID): Array[Byte] =
    ByteBuffer
      .allocate(16)
      .putLong(id.getMostSignificantBits)
      .putLong(id.getLeastSignificantBits)
      .array()
}
