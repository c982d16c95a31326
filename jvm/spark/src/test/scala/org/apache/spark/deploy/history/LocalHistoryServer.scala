package org.apache.spark.deploy.history

import java.nio.file.Path

import org.apache.spark.SparkConf

/** Spark's History Server within a test; here because Spark keeps its parts to this package. */
object LocalHistoryServer {

  /** Runs `test` with its address, after the event logs of the folder have been found. */
  def apply(logs: Path, settings: (String, String)*)(test: String => Unit): Unit = {
    val conf = new SparkConf()
      .set("spark.history.fs.logDirectory", logs.toUri.toString)
      .setAll(settings)
    val provider = new FsHistoryProvider(conf)
    val server = new HistoryServer(conf, provider, HistoryServer.createSecurityManager(conf), 0)
    try {
      server.bind()
      provider.checkForLogs()
      test(s"http://127.0.0.1:${server.boundPort}")
    } finally server.stop()
  }
}
