package firesteel.summary

import java.net.InetAddress
import java.util.Locale

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{ChecksumFileSystem, FileSystem, FSDataOutputStream, Path}

/**
 * Writes event files into a folder of any Hadoop file system.
 *
 * What was flushed can be read while the training goes on, and after a crash. A file system on which
 * nothing can be read before a file is closed (object stores) gets a new file at each flush, less
 * often; TensorBoard reads all files of a folder.
 *
 * @param folder where the files go; it is made if it is not there
 * @param flushMs longest time in milliseconds that an event waits to be written
 * @param clock time in milliseconds since 1970
 */
private[summary] final class EventWriter(
    folder: Path,
    hadoop: Configuration,
    flushMs: Long,
    clock: () => Long
) extends AutoCloseable {
  private val fs = EventWriter.fileSystem(folder, hadoop)
  private val begin = clock()
  private var files = 0
  private var out = open()
  private var flushed = begin
  private val canFlush = out.hasCapability("hflush")

  /** Appends an event; it may wait in memory until the next flush. */
  def write(event: Event): Unit = {
    Records.write(out, event.toBytes)
    val wait = if (canFlush) flushMs else math.max(flushMs, EventWriter.RollMs)
    if (clock() - flushed >= wait) flush()
  }

  /** Makes readable what was written so far. */
  def flush(): Unit = {
    if (canFlush) {
      out.hflush()
    } else {
      out.close()
      out = open()
    }
    flushed = clock()
  }

  override def close(): Unit = out.close()

  private def open(): FSDataOutputStream = {
    val name =
      "events.out.tfevents.%010d.%s.%d".formatLocal(
        Locale.ROOT,
        begin / 1000,
        EventWriter.Host,
        files
      )
    files += 1
    fs.mkdirs(folder)
    // A training that resumes within the second of the one before must not take its file.
    val path = Iterator
      .iterate(name)(_ + "_")
      .map(new Path(folder, _))
      .find(!fs.exists(_))
      .get
    val stream = fs.create(path, false)
    Records.write(stream, Event(clock() / 1000.0, 0, Event.Version).toBytes)
    stream
  }
}

private[summary] object EventWriter {

  /** Time between two files where a file can only be read when it is closed. */
  private val RollMs = 120000L

  private lazy val Host = Try(InetAddress.getLocalHost.getHostName).getOrElse("localhost")

  /** Without checksum files beside ours: TensorBoard would take them for event files. */
  def fileSystem(folder: Path, hadoop: Configuration): FileSystem =
    folder.getFileSystem(hadoop) match {
      case checked: ChecksumFileSystem => checked.getRawFileSystem
      case other => other
    }
}
