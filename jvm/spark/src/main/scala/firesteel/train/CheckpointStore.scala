package firesteel.train

import java.io.IOException
import java.util.UUID

import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path}
import org.apache.hadoop.io.IOUtils
import org.apache.spark.internal.Logging
import org.apache.spark.util.SerializableConfiguration

/**
 * The checkpoints of a training, in a folder of any Hadoop file system.
 *
 * A checkpoint is a folder `checkpoint-<iteration>` with the weights as `model.safetensors`, the
 * optimizer's state as `state-<n>-of-<N>.safetensors` and the manifest `checkpoint.json`. Its files
 * are written to `.checkpoint-<iteration>-<random>`, the manifest last, and then the folder is
 * renamed: readers see a whole checkpoint or none, whenever a writer ends. On object stores a
 * rename copies file by file. A reader that comes while that goes on, or after it was broken off,
 * does not find the manifest, or finds that a file is missing; and each checkpoint is written
 * twice.
 *
 * Checkpoints hold the bits of the training, on any number of executors.
 *
 * @param folder where they are
 * @param keep how many are kept, 1 or more
 * @param conf settings of the file system
 * @param blockBytes how much is hashed, written and read at a time
 */
private[train] final class CheckpointStore(
    folder: String,
    keep: Int,
    conf: Configuration,
    blockBytes: Int = CheckpointStore.BlockBytes
) extends Logging {
  private val token = UUID.randomUUID().toString.replace("-", "")
  private val serializable = new SerializableConfiguration(conf)
  private lazy val fs: FileSystem = new Path(folder).getFileSystem(conf)
  private lazy val root: Path = fs.makeQualified(new Path(folder))

  /**
   * Makes the folder and checks that it has no checkpoint: a training from the start would mix its
   * own with them.
   *
   * @throws CheckpointException if it has one, or cannot be made
   */
  def requireEmpty(): Unit = using("make the folder") {
    fs.mkdirs(root)
    iterations.headOption.foreach { iteration =>
      throw new CheckpointException(
        s"checkpoints $root: expected none, got ${CheckpointStore.name(iteration)}. Call " +
          "setResume(true) to go on with it, choose another folder, or remove it."
      )
    }
  }

  /**
   * Begins a checkpoint, and removes what writers before it left unfinished.
   *
   * @param iteration number of iterations done
   * @throws CheckpointException if nothing can be written there
   */
  def begin(iteration: Long): CheckpointDraft = using("begin a checkpoint") {
    fs.mkdirs(root)
    leftovers.foreach(fs.delete(_, true))
    val draft = new Path(root, s".${CheckpointStore.name(iteration)}-$token")
    if (!fs.mkdirs(draft)) throw new IOException(s"no folder $draft")
    new CheckpointDraft(iteration, draft.toString, blockBytes, serializable)
  }

  /**
   * Makes the draft, whose files are written, a checkpoint. The `keep - 1` before it are kept.
   *
   * @throws CheckpointException if that is not possible; the checkpoints before it are left alone
   */
  def commit(
      draft: CheckpointDraft,
      identity: TrainingIdentity,
      state: TrainingState,
      weights: (CheckpointFile, String),
      slots: Int,
      slices: IndexedSeq[StateSlice]
  ): Checkpoint = {
    val manifest = draft.writeManifest(identity, state, weights, slots, slices)
    val path = pathOf(draft.iteration)
    using("commit a checkpoint") {
      if (fs.exists(path)) rename(path, new Path(root, s".${path.getName}-$token-old"))
      rename(draft.path, path)
    }
    prune(draft.iteration)
    new Checkpoint(path.toString, manifest, serializable)
  }

  /** Removes a draft that will not be finished. */
  def abandon(draft: CheckpointDraft): Unit = quietly(draft.path)(fs.delete(draft.path, true))

  /**
   * The newest checkpoint; none if there is no folder of one.
   *
   * @param fallBack whether the one before is taken, with a warning, if it is damaged
   * @param before only checkpoints of fewer iterations are looked at
   * @throws CheckpointException if it is damaged, or all are
   */
  def latest(fallBack: Boolean = false, before: Long = Long.MaxValue): Option[Checkpoint] = {
    val candidates = using("look for checkpoints")(iterations.filter(_ < before))
    if (fallBack && candidates.nonEmpty) Some(newest(candidates))
    else candidates.headOption.map(open)
  }

  private def newest(candidates: Seq[Long]): Checkpoint =
    try open(candidates.head)
    catch {
      case e: CheckpointException if candidates.tail.nonEmpty =>
        logWarning(s"${e.getMessage} Trying the checkpoint before it.")
        newest(candidates.tail)
    }

  /** The checkpoint of an iteration, of which every file is there in its length. */
  private def open(iteration: Long): Checkpoint = {
    val path = pathOf(iteration)
    def refuse(name: String, expected: String, got: String): Nothing =
      throw new CheckpointException(
        s"checkpoint file ${new Path(path, name)}: expected $expected, got $got. Copy it again, " +
          s"or remove the folder $path to resume from the checkpoint before it."
      )
    using(s"read ${CheckpointStore.name(iteration)}") {
      val there = fs.listStatus(path).map(status => status.getPath.getName -> status.getLen).toMap
      val length = there.getOrElse(CheckpointManifest.Name, 0L)
      if (length == 0) refuse(CheckpointManifest.Name, "a manifest", "none")
      val manifest =
        try CheckpointManifest.fromBytes(bytes(new Path(path, CheckpointManifest.Name), length))
        catch {
          case e: IllegalArgumentException =>
            refuse(CheckpointManifest.Name, "a whole manifest", e.getMessage)
        }
      manifest.files.foreach { file =>
        val got = there.get(file.name)
        if (!got.contains(file.bytes)) {
          refuse(file.name, s"${file.bytes} bytes", got.fold("no such file")(_.toString))
        }
      }
      new Checkpoint(path.toString, manifest, serializable)
    }
  }

  private def rename(from: Path, to: Path): Unit =
    if (!fs.rename(from, to)) throw new IOException(s"$from was not renamed to $to")

  private def bytes(path: Path, length: Long): Array[Byte] = {
    if (length > CheckpointStore.MaxManifest) throw new IOException(s"a manifest of $length bytes")
    val bytes = new Array[Byte](length.toInt)
    val in = fs.open(path)
    try IOUtils.readFully(in, bytes, 0, bytes.length)
    finally in.close()
    bytes
  }

  /** Removes all checkpoints but this one and the `keep - 1` before it. */
  private def prune(iteration: Long): Unit = quietly(root) {
    val (before, after) = iterations.filter(_ != iteration).partition(_ < iteration)
    (after ++ before.drop(keep - 1)).map(pathOf).foreach { path =>
      // Without its manifest it is no checkpoint, even if this ends here.
      fs.delete(new Path(path, CheckpointManifest.Name), false)
      fs.delete(path, true)
    }
    leftovers.foreach(fs.delete(_, true))
  }

  /** Numbers of the checkpoints, the newest first. */
  private def iterations: Seq[Long] =
    list.map(_.getPath.getName).collect { case CheckpointStore.Name(n) => n.toLong }.sorted.reverse

  /** Folders that this store, or one that has not written for long, left unfinished. */
  private def leftovers: Seq[Path] = list.filter { status =>
    status.getPath.getName match {
      case CheckpointStore.Draft(owner) => owner == token || isOld(status)
      case _ => false
    }
  }.map(_.getPath)

  private def isOld(folder: FileStatus): Boolean = {
    val times = (folder +: fs.listStatus(folder.getPath)).map(_.getModificationTime)
    System.currentTimeMillis - times.max > CheckpointStore.LeftoverMs
  }

  private def list: Seq[FileStatus] =
    if (fs.exists(root)) fs.listStatus(root).toSeq.filter(_.isDirectory) else Nil

  private def pathOf(iteration: Long): Path = new Path(root, CheckpointStore.name(iteration))

  private def using[T](what: String)(body: => T): T =
    try body
    catch {
      case e: IOException =>
        throw new CheckpointException(
          s"checkpoints $folder: expected to $what, got $e. Look at the path, the space and the " +
            "permissions there.",
          Some(e)
        )
    }

  private def quietly(path: Path)(body: => Unit): Unit =
    try body
    catch { case NonFatal(e) => logWarning(s"checkpoints: something at $path was not removed", e) }
}

private[train] object CheckpointStore {

  /** Large enough for a small manifest, small enough for any heap. */
  val BlockBytes: Int = 4 << 20

  /** Bound on the manifest, beyond that of any model that fits into memory. */
  private val MaxManifest = 1L << 30

  /** An unfinished checkpoint to which nothing was written for so long has no writer any more. */
  private val LeftoverMs = 3600L * 1000

  private val Name = """checkpoint-(\d{12})""".r
  private val Draft = """\.checkpoint-\d{12}-([0-9a-f]{32})(?:-old)?""".r

  private def name(iteration: Long): String = f"checkpoint-$iteration%012d"
}
