package firesteel.summary

import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import firesteel.train.{Observer, TrainingInfo}

/**
 * Curves of a training in TensorBoard's event files, in a folder `logDir/appName/part`.
 *
 * @param logDir a folder of any Hadoop file system: a path on the driver, `hdfs:`, `s3a:` …
 * @param appName name of the run
 * @param part folder of the run's part
 */
abstract class Summary private[summary] (logDir: String, appName: String, part: String)
    extends Observer {
  private val folder = new Path(new Path(logDir, appName), part)
  private var writer: Option[EventWriter] = None

  /**
   * The curve that was written under a tag: step, value and time in seconds since 1970 of each
   * point, in the order of the steps; empty if there is none. A step that was written more than once,
   * because a training was resumed, counts as it was written last.
   *
   * @throws java.io.IOException if the files cannot be read
   */
  def readScalar(tag: String): Array[(Long, Float, Double)] = synchronized {
    writer.foreach(_.flush())
    val fs = EventWriter.fileSystem(folder, hadoop)
    val files =
      if (fs.exists(folder)) fs.listStatus(folder).map(_.getPath).sorted else Array.empty[Path]
    val points = for {
      file <- files.filter(_.getName.contains("tfevents"))
      event <- Using.resource(fs.open(file))(in => Records.read(in).map(Event.read).toVector)
      value <- event.content match {
        case Event.Values(values) => values
        case _: Event.FileVersion => Nil
      }
      point <- value match {
        case Event.Scalar(`tag`, number) => Some((event.step, number, event.wallTime))
        case _ => None
      }
    } yield point
    points.groupBy(_._1).values.map(_.last).toArray.sortBy(_._1)
  }

  /** Opens an event file of its own for this training. */
  override def started(training: TrainingInfo): Unit = synchronized {
    writer.foreach(_.close())
    writer =
      Some(new EventWriter(folder, hadoop, Summary.FlushMs, () => System.currentTimeMillis))
  }

  /** Writes the file's end. */
  override def ended(error: Option[Throwable]): Unit = synchronized {
    writer.foreach(_.close())
    writer = None
  }

  /** Writes the values of a step. */
  private[summary] def write(wallTime: Double, step: Long, values: Seq[Event.Value]): Unit =
    synchronized {
      if (values.nonEmpty) writer.foreach(_.write(Event(wallTime, step, Event.Values(values))))
    }

  /** The session's settings reach file systems that need keys. */
  private def hadoop: Configuration = SparkSession.getActiveSession
    .map(_.sparkContext.hadoopConfiguration)
    .getOrElse(new Configuration)
}

private object Summary {

  /** Longest time an event waits to be written. */
  val FlushMs = 5000L
}
