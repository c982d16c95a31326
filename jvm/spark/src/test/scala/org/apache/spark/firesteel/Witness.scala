package org.apache.spark.firesteel

import java.nio.file.{Files, Path}
import java.util.UUID

import scala.jdk.CollectionConverters._

import org.apache.spark.SparkEnv

import firesteel.train.{Address, SliceReceiver}

/**
 * An executor as its own tasks see it.
 *
 * @param residentKiB memory of the process
 */
final case class Witness(executor: String, pid: Long, residentKiB: Long, address: Address)

object Witness {

  /** What this executor has to say. */
  def testify(receiver: SliceReceiver): Witness = Witness(
    SparkEnv.get.executorId,
    ProcessHandle.current.pid,
    residentKiB,
    Exchange.of(receiver).address
  )

  /** The trainings of which this executor is a member. */
  def trainings(receiver: SliceReceiver): Seq[UUID] =
    Exchange.of(receiver).trainings.keySet.asScala.toSeq

  private def residentKiB: Long =
    Files
      .readAllLines(Path.of("/proc/self/status"))
      .asScala
      .collectFirst { case s"VmRSS:$kib kB" => kib.trim.toLong }
      .getOrElse(0L)
}
