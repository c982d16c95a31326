package org.apache.spark.firesteel

import java.net.Socket
import java.nio.file.{Files, Path}
import java.security.{KeyStore, SecureRandom}
import javax.net.ssl.{SSLContext, TrustManagerFactory}

import firesteel.train.Address

/** A key for TLS that lives as long as the tests. */
object TestKey {
  private lazy val store: Path = {
    val file = Files.createTempDirectory("exchange").resolve("key.p12")
    val keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString
    val command = Seq(keytool, "-genkeypair", "-keyalg", "EC", "-alias", "test") ++
      Seq("-dname", "CN=test", "-validity", "2", "-storetype", "PKCS12") ++
      Seq("-storepass", "password", "-keystore", file.toString)
    val made = new ProcessBuilder(command: _*)
      .redirectErrorStream(true)
      .redirectOutput(ProcessBuilder.Redirect.DISCARD)
      .start()
    if (made.waitFor() != 0) throw new IllegalStateException(command.mkString(" "))
    file
  }

  /** A connection with TLS to an exchange that has this key. */
  def connect(address: Address): Socket = {
    val keys = KeyStore.getInstance(store.toFile, "password".toCharArray)
    val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm)
    trust.init(keys)
    val context = SSLContext.getInstance("TLS")
    context.init(Array.empty, trust.getTrustManagers, new SecureRandom)
    context.getSocketFactory.createSocket(address.host, address.port)
  }

  /** Spark's settings for TLS with this key at both ends. */
  def settings: Seq[(String, String)] =
    ("spark.ssl.rpc.enabled" -> "true") +: Seq("keyStore", "trustStore").flatMap { name =>
      Seq(
        s"spark.ssl.rpc.$name" -> store.toString,
        s"spark.ssl.rpc.${name}Password" -> "password",
        s"spark.ssl.rpc.${name}Type" -> "PKCS12"
      )
    } :+ ("spark.ssl.rpc.keyPassword" -> "password")
}
