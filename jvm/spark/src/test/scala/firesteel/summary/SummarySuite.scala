package firesteel.summary

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, File}
import java.net.URI
import java.nio.file.{Files, Path}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath, _}
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.util.Progressable
import org.scalatest.funsuite.AnyFunSuite

import firesteel.optim.Trigger
import firesteel.train.PlayedTraining

class SummarySuite extends AnyFunSuite {

  private def folder(): Path = Files.createTempDirectory("summary")

  private def files(in: Path): Seq[File] =
    Option(in.toFile.listFiles).toSeq.flatten.sortBy(_.getName)

  private def eventsOf(file: File): Seq[Event] =
    Records.read(new ByteArrayInputStream(Files.readAllBytes(file.toPath))).map(Event.read).toSeq

  private def loss(step: Long): Event =
    Event(1.5, step, Event.Values(Seq(Event.Scalar("Loss", step.toFloat))))

  test("a record has the bytes that TensorFlow's writer gives it") {
    val out = new ByteArrayOutputStream
    Records.write(out, Event(1, 300, Event.Version).toBytes)
    val hex = out.toByteArray.map("%02x".format(_)).mkString
    // RecordWriter of TensorBoard 2.21.0 of
    // Event(wall_time=1, step=300, file_version="brain.Event:2").SerializeToString()
    assert(
      hex == "1b000000000000001a0d9e13" +
        "09000000000000f03f10ac021a0d627261696e2e4576656e743a32" + "adc8f476"
    )
  }

  test("a training's curves are read back: a point for each iteration") {
    val logs = folder()
    val train = new TrainSummary(logs.toString, "lenet")
    val validation = new ValidationSummary(logs.toString, "lenet")
    Seq(train, validation).foreach(PlayedTraining.play(_)(()))

    val losses = train.readScalar("Loss")
    assert(losses.map(_._1).toSeq == (1L to PlayedTraining.iterations.toLong))
    assert(losses.forall { case (step, value, _) =>
      value == PlayedTraining.loss(step - 1).toFloat
    })
    val walls = losses.map(_._3)
    val now = System.currentTimeMillis / 1000.0
    assert(walls.forall(wall => wall > now - 60 && wall <= now))
    assert(train.readScalar("Throughput").forall(point => math.abs(point._2 - 128 / 0.031) < 0.01))
    assert(train.readScalar("LearningRate").head._2 == 0.01f)
    assert(train.readScalar("Top1Accuracy").isEmpty)

    assert(validation.readScalar("Loss").map(_._1).toSeq == Seq(100, 200, 300, 400, 500, 600))
    assert(validation.readScalar("Top1Accuracy").last._2 == 0.9f)
    assert(files(logs.resolve("lenet/train")).length == 1)
    assert(files(logs.resolve("lenet/validation")).length == 1)
  }

  test("a trigger chooses the iterations of its tag") {
    val train = new TrainSummary(folder().toString, "lenet")
      .setSummaryTrigger("Loss", Trigger.severalIteration(50))
      .setSummaryTrigger("LearningRate", (_, isEpochEnd) => isEpochEnd)
    PlayedTraining.play(train)(())
    assert(train.readScalar("Loss").map(_._1).toSeq == (50 to 600 by 50))
    assert(train.readScalar("LearningRate").map(_._1).toSeq == (100 to 600 by 100))
    assert(train.readScalar("Throughput").length == 600)
    intercept[IllegalArgumentException](train.setSummaryTrigger("Lost", Trigger.everyEpoch))
    intercept[IllegalArgumentException](train.setSummaryTrigger("Loss", Trigger.minLoss(0.5)))
  }

  test("curves can be read while the training goes on, and a second run continues them") {
    val logs = folder()
    val train = new TrainSummary(logs.toString, "lenet")
    var seen = Seq.empty[Int]
    PlayedTraining.play(train) { seen :+= train.readScalar("Loss").length }
    assert(seen == (0 until PlayedTraining.iterations by 20))

    train.started(PlayedTraining.info)
    train.iterated(PlayedTraining.job(590))
    assert(train.readScalar("Loss").map(_._1).toSeq == (1 to 610))
    train.ended(None)
    assert(files(logs.resolve("lenet/train")).length == 2)
  }

  test("what a crash leaves is read up to the last whole event") {
    val logs = folder()
    val writer = new EventWriter(new HadoopPath(logs.toUri), new Configuration, 0, () => 1000)
    (1L to 20L).foreach(step => writer.write(loss(step)))
    val bytes = Files.readAllBytes(files(logs).head.toPath)
    val whole = eventsOf(files(logs).head)
    assert(whole.head.content == Event.Version)
    assert(whole.tail.map(_.step) == (1 to 20))
    bytes.indices.foreach { length =>
      val read = Records.read(new ByteArrayInputStream(bytes.take(length))).map(Event.read).toSeq
      assert(read == whole.take(read.length))
    }
    writer.close()
  }

  test("a changed byte ends the reading and is no wrong event") {
    val out = new ByteArrayOutputStream
    (1L to 3L).foreach(step => Records.write(out, loss(step).toBytes))
    val bytes = out.toByteArray
    bytes.indices.foreach { i =>
      val changed = bytes.updated(i, (bytes(i) ^ 0x40).toByte)
      val read = Records.read(new ByteArrayInputStream(changed)).map(Event.read).toSeq
      assert(read == Seq(loss(1), loss(2), loss(3)).take(read.length))
      assert(read.length == i / (bytes.length / 3))
    }
  }

  test("where a file is readable only when it is closed, the events go to one after the other") {
    val logs = folder()
    val hadoop = new Configuration
    hadoop.set("fs.store.impl", classOf[ObjectStore].getName)
    var now = 1000L
    val writer =
      new EventWriter(new HadoopPath(s"store:${logs.toString}"), hadoop, 5000, () => now)
    writer.write(loss(1))
    now += 119999
    writer.write(loss(2))
    assert(files(logs).flatMap(eventsOf).isEmpty)
    now += 1
    writer.write(loss(3))
    assert(files(logs).flatMap(eventsOf).flatMap(steps) == Seq(1, 2, 3))
    writer.write(loss(4))
    writer.close()
    assert(files(logs).flatMap(eventsOf).flatMap(steps) == Seq(1, 2, 3, 4))
    assert(files(logs).length == 2)
  }

  test("a folder that cannot be made ends the training before it begins") {
    val file = Files.createTempFile("no", "folder")
    val train = new TrainSummary(file.toString, "lenet")
    intercept[java.io.IOException](train.started(PlayedTraining.info))
  }

  private def steps(event: Event): Option[Long] = event.content match {
    case _: Event.Values => Some(event.step)
    case _: Event.FileVersion => None
  }
}

/** A file system on which a file appears when it is closed. */
class ObjectStore extends FilterFileSystem(new RawLocalFileSystem) {
  override def getScheme: String = "store"
  override def getUri: URI = URI.create("store:///")
  override protected def checkPath(path: HadoopPath): Unit = ()
  override def mkdirs(path: HadoopPath): Boolean = super.mkdirs(local(path))
  override def getFileStatus(path: HadoopPath): FileStatus = super.getFileStatus(local(path))

  private def local(path: HadoopPath): HadoopPath = new HadoopPath(path.toUri.getPath)

  override def create(
      path: HadoopPath,
      permission: FsPermission,
      overwrite: Boolean,
      bufferSize: Int,
      replication: Short,
      blockSize: Long,
      progress: Progressable
  ): FSDataOutputStream = {
    val target = new File(path.toUri.getPath)
    val bytes = new ByteArrayOutputStream {
      override def close(): Unit = {
        Files.write(target.toPath, toByteArray)
        ()
      }
    }
    new FSDataOutputStream(bytes, null)
  }
}
