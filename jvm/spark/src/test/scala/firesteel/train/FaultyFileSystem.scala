package firesteel.train

import java.io.{IOException, OutputStream}
import java.net.URI
import java.util.EnumSet
import java.util.concurrent.atomic.AtomicLong

import org.apache.hadoop.fs._
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.util.Progressable

/**
 * The local file system under the scheme `faulty`, which dies after a number of steps: each file
 * that is made, piece that is written or closed, rename, deletion and folder is one. A piece that
 * is being written then is left half done.
 */
final class FaultyFileSystem extends RawLocalFileSystem {
  import FaultyFileSystem.step

  override def getScheme: String = "faulty"
  override def getUri: URI = URI.create("faulty:///")

  override def mkdirs(path: Path): Boolean = {
    step()
    super.mkdirs(path)
  }

  override def rename(from: Path, to: Path): Boolean = {
    step()
    super.rename(from, to)
  }

  override def delete(path: Path, recursive: Boolean): Boolean = {
    step()
    super.delete(path, recursive)
  }

  override def createNonRecursive(
      path: Path,
      permission: FsPermission,
      flags: EnumSet[CreateFlag],
      bufferSize: Int,
      replication: Short,
      blockSize: Long,
      progress: Progressable
  ): FSDataOutputStream = {
    step()
    val out = super.createNonRecursive(
      path,
      permission,
      flags,
      bufferSize,
      replication,
      blockSize,
      progress
    )
    new FSDataOutputStream(new FaultyStream(out), null)
  }

  private final class FaultyStream(out: OutputStream) extends OutputStream {
    override def write(byte: Int): Unit = write(Array(byte.toByte), 0, 1)

    override def write(bytes: Array[Byte], offset: Int, length: Int): Unit = {
      try step()
      catch {
        case e: IOException =>
          out.write(bytes, offset, length / 2)
          throw e
      }
      out.write(bytes, offset, length)
    }

    override def close(): Unit =
      try step()
      finally out.close()
  }
}

object FaultyFileSystem {
  @volatile private var died = false
  private val left = new AtomicLong(Long.MaxValue)

  /** Runs `body` on a file system that dies after so many steps; whether it died. */
  def dyingAfter(steps: Long)(body: => Unit): Boolean = {
    left.set(steps)
    died = false
    try body
    catch { case _: CheckpointException if died => () }
    finally left.set(Long.MaxValue)
    died
  }

  private def step(): Unit =
    if (left.getAndUpdate(n => if (n > 0) n - 1 else 0) <= 0) {
      died = true
      throw new IOException("no disk any more")
    }
}
