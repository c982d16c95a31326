package firesteel.train

import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

/** A JVM of its own that has none of our classes that use Spark's private ones. */
object HiddenSpark extends TrainingFixture {
  private val Hidden = Paths.get("org", "apache", "spark", "firesteel")

  /** Trains in such a JVM: how it ended, and what it said and logged. */
  def train(): (Int, String) = {
    val folder = Files.createTempDirectory("firesteel")
    val whole = Paths.get(classOf[Trainer].getProtectionDomain.getCodeSource.getLocation.toURI)
    copyWithoutHidden(whole, folder.resolve("classes"))
    val classPath = System.getProperty("java.class.path").split(File.pathSeparator).map { entry =>
      if (Paths.get(entry).toAbsolutePath.normalize == whole) folder.resolve("classes").toString
      else entry
    }
    val options = ManagementFactory.getRuntimeMXBean.getInputArguments.asScala.toSeq
      .filter(_.startsWith("--add-opens"))
    val command = Seq(s"${System.getProperty("java.home")}/bin/java") ++ options ++ Seq(
      "-Xmx512m",
      s"-Djava.io.tmpdir=$folder",
      "-cp",
      classPath.mkString(File.pathSeparator),
      "firesteel.train.HiddenSpark"
    )
    val said = folder.resolve("output")
    val process = new ProcessBuilder(command: _*)
      .redirectErrorStream(true)
      .redirectOutput(said.toFile)
      .start()
    val code = process.waitFor()
    val log = folder.resolve("unit-tests.log")
    (code, Seq(said, log).filter(Files.exists(_)).map(Files.readString(_)).mkString)
  }

  def main(arguments: Array[String]): Unit =
    println(s"weights ${withSpark("local[2]")(train(_).weightsHash)}")

  private def copyWithoutHidden(from: Path, to: Path): Unit = {
    val files = Files.walk(from)
    try {
      files.iterator.asScala
        .filter(file => Files.isRegularFile(file) && !from.relativize(file).startsWith(Hidden))
        .foreach { file =>
          val copy = to.resolve(from.relativize(file))
          Files.createDirectories(copy.getParent)
          Files.copy(file, copy)
        }
    } finally files.close()
  }
}
