package firesteel.train

import java.nio.file.{Files, Path}

import scala.util.Using

import org.apache.commons.io.FileUtils
import org.apache.hadoop.conf.Configuration
import org.scalatest.Assertions

import firesteel.SparkSuite
import firesteel.jni.{NativeBuffer, NativeModel}
import firesteel.nn._
import firesteel.optim.Adam

/** A small model whose weights and two vectors of state are known at every iteration. */
object CheckpointData extends Assertions {
  val network: Sequential = Sequential(Seq(30)).add(Dense(32)).add(Dense(3))

  /** 30 · 32 + 32 + 32 · 3 + 3. */
  val weights = 1091
  val slots = 2

  /** What stands at a place of a vector; vector -1 is the weights. */
  def value(iteration: Long, vector: Int, index: Long): Float =
    (iteration * 31 + vector * 7 + index).toFloat / 1024 - 1

  def weightsOf(iteration: Long): NativeBuffer = {
    val buffer = new NativeBuffer(weights * 4L)
    val view = buffer.slice(0, weights * 4).asFloatBuffer
    for (index <- 0 until weights) view.put(index, value(iteration, -1, index.toLong))
    buffer
  }

  def stateOf(iteration: Long, range: SliceRange): NativeBuffer = {
    val buffer = new NativeBuffer(slots * range.bytes)
    val view = buffer.slice(0, (slots * range.bytes).toInt).asFloatBuffer
    for (slot <- 0 until slots; index <- range.begin until range.end) {
      view.put((slot * range.floats + index - range.begin).toInt, value(iteration, slot, index))
    }
    buffer
  }

  /** Equal slices, or as near as it goes. */
  def evenly(count: Int): IndexedSeq[SliceRange] = cut(
    (1 until count).map(n => weights.toLong * n / count)
  )

  /** The slices between these places. */
  def cut(at: Seq[Long]): IndexedSeq[SliceRange] = {
    val ends = 0L +: at.sorted :+ weights.toLong
    ends.zip(ends.tail).map { case (begin, end) => SliceRange(begin, end) }.toIndexedSeq
  }

  def writeState(
      draft: CheckpointDraft,
      slices: IndexedSeq[SliceRange],
      n: Int
  ): StateSlice = Using.resource(stateOf(draft.iteration, slices(n))) { state =>
    draft.writeState(n, slices.length, slices(n), slots, state)
  }

  def assertState(checkpoint: Checkpoint, range: SliceRange): Unit =
    Using.resource(new NativeBuffer(slots * range.bytes)) { got =>
      Using.resource(stateOf(checkpoint.manifest.state.iteration, range)) { expected =>
        checkpoint.readState(range, slots, got)
        assert(got.sha256(slots * range.floats) == expected.sha256(slots * range.floats))
      }
    }
}

/** Writes and reads checkpoints of [[CheckpointData]]. */
abstract class CheckpointFixture extends SparkSuite {
  import CheckpointData._

  protected val identity: TrainingIdentity = TrainingIdentity(
    network.toJson,
    CrossEntropy().toJson,
    Adam().toJson,
    batchSize = 50,
    seed = 7,
    rows = Vector(300L, 301L)
  )

  /** Small blocks, so that small files have many; `raw` is the local file system as it is. */
  protected def store(folder: String, keep: Int = 1, raw: Boolean = false): CheckpointStore = {
    val conf = new Configuration
    conf.set("fs.faulty.impl", classOf[FaultyFileSystem].getName)
    if (raw) {
      conf.set("fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem")
      conf.set("fs.file.impl.disable.cache", "true")
    }
    new CheckpointStore(folder, keep, conf, blockBytes = 256)
  }

  protected def withFolder[T](test: Path => T): T = {
    val folder = Files.createTempDirectory("firesteel-checkpoint")
    try test(folder)
    finally FileUtils.deleteDirectory(folder.toFile)
  }

  protected def withModel[T](test: NativeModel => T): T =
    Using.resource(NativeModel.define(network.toJson))(test)

  protected def positionAt(iteration: Long): TrainingState =
    (0L until iteration % 1000).foldLeft(TrainingState(1000, iteration - iteration % 1000)) {
      (state, n) => state.afterIteration(1.0 / (n + 3), 50, 0.01)
    }

  /** Writes a checkpoint as a training does. */
  protected def save(
      store: CheckpointStore,
      iteration: Long,
      slices: IndexedSeq[SliceRange] = evenly(3)
  ): Checkpoint = {
    val draft = store.begin(iteration)
    val files = slices.indices.map(writeState(draft, slices, _))
    val written = withModel { model =>
      Using.resource(weightsOf(iteration))(draft.writeWeights(model, _))
    }
    store.commit(draft, identity, positionAt(iteration), written, slots, files)
  }

  /** Reads everything of a checkpoint and compares every float. */
  protected def assertWhole(
      checkpoint: Checkpoint,
      iteration: Long,
      slices: IndexedSeq[SliceRange] = evenly(1)
  ): Unit = {
    assert(checkpoint.manifest.state == positionAt(iteration))
    assert(checkpoint.manifest.identity == identity)
    withModel { model =>
      Using.resources(new NativeBuffer(weights * 4L), weightsOf(iteration)) { (got, expected) =>
        checkpoint.readWeights(model, got)
        assert(got.sha256(weights.toLong) == expected.sha256(weights.toLong))
      }
    }
    slices.foreach(assertState(checkpoint, _))
  }
}
