package org.apache.spark.firesteel

import java.nio.file.{Files, Path}

import org.apache.spark.SparkConf
import org.apache.spark.util.Utils

/** Files on the disks that Spark uses for what does not outlive the application. */
object LocalFiles {

  /**
   * A new empty file in `spark.local.dir`; Spark deletes it at the latest when this JVM ends.
   *
   * @throws java.io.IOException if it cannot be written
   */
  def create(conf: SparkConf, prefix: String, suffix: String): Path =
    Files.createTempFile(Path.of(Utils.getLocalDir(conf)), prefix, suffix)
}
