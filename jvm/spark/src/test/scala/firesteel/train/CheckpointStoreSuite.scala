package firesteel.train

import java.nio.{ByteBuffer, ByteOrder}
import java.nio.file.{Files, Path, StandardOpenOption}
import java.nio.file.attribute.FileTime

import scala.jdk.CollectionConverters._
import scala.util.{Random, Using}

import firesteel.inference.InferenceModel
import firesteel.jni.{NativeBuffer, NativeModel}
import firesteel.nn._

class CheckpointStoreSuite extends CheckpointFixture {
  import CheckpointData._

  private def names(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq.sorted)

  private def refusal(body: => Unit): String = intercept[CheckpointException](body).getMessage

  test("a checkpoint comes back to the bit, however many slices read it") {
    Seq(false, true).foreach { raw =>
      withFolder { folder =>
        val path = s"file://$folder/new/folder"
        assert(store(path, raw = raw).latest().isEmpty)
        save(store(path, raw = raw), 100)
        val checkpoint = store(path, raw = raw).latest().get
        Seq(1, 2, 3, 5).foreach(count => assertWhole(checkpoint, 100, evenly(count)))
      }
    }
  }

  test("any cut of the state is read from files of any other cut") {
    withFolder { folder =>
      val random = new Random(4)
      def place(): Long = random.nextInt(weights + 1).toLong
      val checkpoints = Seq(1, 2, 3, 7, 40).map { count =>
        save(store(s"$folder/$count"), count.toLong, cut(Seq.fill(count - 1)(place())))
      }
      for (_ <- 0 until 2000) {
        val checkpoint = checkpoints(random.nextInt(checkpoints.length))
        val ends = Seq(place(), place()).sorted
        assertState(checkpoint, SliceRange(ends(0), ends(1)))
      }
    }
  }

  test("a checkpoint is a folder of files that other tools read") {
    withFolder { folder =>
      save(store(folder.toString, raw = true), 12)
      val files = Seq("checkpoint.json", "model.safetensors") ++
        (0 until 3).map(n => s"state-$n-of-3.safetensors")
      assert(names(folder) == Seq("checkpoint-000000000012"))
      assert(names(folder.resolve("checkpoint-000000000012")) == files)
      Using.resource(new InferenceModel(1))(
        _.load(s"$folder/checkpoint-000000000012/model.safetensors")
      )
      val state =
        Files.readAllBytes(folder.resolve("checkpoint-000000000012/state-1-of-3.safetensors"))
      val length = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).getLong.toInt
      val header = JsonFields.Mapper.readTree(new String(state, 8, length, "UTF-8"))
      assert(
        header.path("slot.1").toString ==
          """{"dtype":"F32","shape":[364],"data_offsets":[1456,2912]}"""
      )
      assert(header.path("__metadata__").path("firesteel").asText.contains("\"begin\":363"))
      assert(state.length == 8 + length + 2912)
    }
  }

  test("the model file is that of the model, byte for byte") {
    withFolder { folder =>
      save(store(folder.toString), 12)
      val file = Files.readAllBytes(folder.resolve("checkpoint-000000000012/model.safetensors"))
      val expected = withModel(model => Using.resource(weightsOf(12))(model.write))
      assert(file.toSeq == expected.toSeq)
    }
  }

  test("executors write their slices and read others in Spark tasks") {
    withFolder { folder =>
      withSpark("local[2]") { spark =>
        val hadoop = spark.sparkContext.hadoopConfiguration
        val store = new CheckpointStore(folder.toString, 1, hadoop)
        val draft = store.begin(5)
        val slices = evenly(3)
        val files = spark.sparkContext
          .parallelize(slices.indices, 3)
          .map(CheckpointData.writeState(draft, slices, _))
          .collect()
        val written =
          withModel(model => Using.resource(weightsOf(5))(draft.writeWeights(model, _)))
        store.commit(draft, identity, positionAt(5), written, slots, files.toIndexedSeq)
        val checkpoint = store.latest().get
        spark.sparkContext
          .parallelize(evenly(4), 4)
          .foreach(CheckpointData.assertState(checkpoint, _))
      }
    }
  }

  test("the newest are kept, and older ones are removed after the new one is there") {
    withFolder { folder =>
      val checkpoints = store(folder.toString, keep = 2)
      Seq(10L, 20L, 30L, 1000000000000L - 1).foreach(save(checkpoints, _))
      assert(names(folder) == Seq("checkpoint-000000000030", "checkpoint-999999999999"))
    }
  }

  test("a writer that dies at any step leaves the checkpoint before it, or the new one") {
    withFolder { folder =>
      val slices = evenly(2)
      var steps = 0L
      var died = true
      val found = Iterator
        .continually {
          val path = folder.resolve(steps.toString)
          save(store(s"file://$path"), 10, slices)
          died = FaultyFileSystem.dyingAfter(steps)(save(store(s"faulty://$path"), 20, slices))
          val checkpoint = store(s"file://$path").latest().get
          val iteration = checkpoint.manifest.state.iteration
          assertWhole(checkpoint, iteration)
          // The next writer removes what is left once it is old, and comes to its end.
          names(path).filter(_.startsWith(".")).foreach { name =>
            val old = FileTime.fromMillis(System.currentTimeMillis - 2 * 3600 * 1000)
            names(path.resolve(name)).foreach(file =>
              Files.setLastModifiedTime(path.resolve(name).resolve(file), old)
            )
            Files.setLastModifiedTime(path.resolve(name), old)
          }
          save(store(s"file://$path"), 30, slices)
          assert(names(path).filterNot(_.endsWith(".crc")) == Seq("checkpoint-000000000030"))
          steps += 1
          iteration
        }
        .takeWhile(_ => died)
        .toSeq
      assert(found.count(_ == 10) > 60 && found.count(_ == 20) > 1)
      assert(found == found.sorted)
    }
  }

  test("an unfinished checkpoint of a writer that may be alive is left alone") {
    withFolder { folder =>
      val other = store(folder.toString)
      other.begin(10)
      val own = store(folder.toString)
      own.begin(20)
      own.begin(30)
      assert(
        names(folder).map(_.take(24)) == Seq(".checkpoint-000000000010", ".checkpoint-000000000030")
      )
      save(own, 40)
      assert(store(folder.toString).latest().get.manifest.state.iteration == 40)
      assert(names(folder).map(_.take(24)).contains(".checkpoint-000000000010"))
    }
  }

  test("every flipped byte is found, and the file is named") {
    withFolder { folder =>
      val random = new Random(5)
      val path = folder.resolve("checkpoint-000000000010")
      save(store(folder.toString, raw = true), 10)
      names(path).foreach { name =>
        val file = path.resolve(name)
        val whole = Files.readAllBytes(file)
        for (_ <- 0 until 100) {
          val damaged = whole.clone
          val at = random.nextInt(damaged.length)
          damaged(at) = (damaged(at) ^ (1 << random.nextInt(8))).toByte
          Files.write(file, damaged)
          val message = refusal(assertWhole(store(folder.toString, raw = true).latest().get, 10))
          assert(message.contains(file.toString), s"$name byte $at: $message")
        }
        Files.write(file, whole)
      }
      assertWhole(store(folder.toString, raw = true).latest().get, 10)
    }
  }

  test("a short or missing file is an exception, or sends to the checkpoint before") {
    withFolder { folder =>
      val checkpoints = store(folder.toString, keep = 3, raw = true)
      Seq(10L, 20L, 30L).foreach(save(checkpoints, _))
      val short = folder.resolve("checkpoint-000000000030/state-1-of-3.safetensors")
      val bytes = Files.readAllBytes(short)
      Files.write(short, bytes.init)
      val message = refusal(checkpoints.latest())
      assert(message.contains(short.toString))
      assert(message.contains(s"expected ${bytes.length} bytes, got ${bytes.length - 1}"))
      assert(message.contains("remove the folder"))
      assertWhole(checkpoints.latest(fallBack = true).get, 20)
      Files.delete(folder.resolve("checkpoint-000000000020/model.safetensors"))
      assertWhole(checkpoints.latest(fallBack = true).get, 10)
      assertWhole(checkpoints.latest(before = 20).get, 10)
      Files.delete(folder.resolve("checkpoint-000000000010/checkpoint.json"))
      assert(refusal(checkpoints.latest(fallBack = true)).contains("expected a manifest, got none"))
      assert(checkpoints.latest(before = 10).isEmpty)
    }
  }

  test("what follows a damaged checkpoint takes its place") {
    withFolder { folder =>
      val checkpoints = store(folder.toString, keep = 2, raw = true)
      Seq(10L, 20L).foreach(save(checkpoints, _))
      Files.write(
        folder.resolve("checkpoint-000000000020/model.safetensors"),
        Array[Byte](1),
        StandardOpenOption.APPEND
      )
      save(checkpoints, 15)
      assert(names(folder) == Seq("checkpoint-000000000010", "checkpoint-000000000015"))
      Files.write(folder.resolve("checkpoint-000000000015/checkpoint.json"), Array[Byte](1))
      save(checkpoints, 15)
      assertWhole(checkpoints.latest().get, 15)
      assert(names(folder) == Seq("checkpoint-000000000010", "checkpoint-000000000015"))
    }
  }

  test("a training from the start wants a folder without checkpoints") {
    withFolder { folder =>
      store(s"$folder/new").requireEmpty()
      save(store(s"$folder/new"), 10)
      val message = refusal(store(s"$folder/new").requireEmpty())
      assert(message.contains("expected none, got checkpoint-000000000010"))
      assert(message.contains("setResume(true)"))
    }
  }

  test("a path that cannot be used is an exception with its reason") {
    withFolder { folder =>
      val file = Files.write(folder.resolve("file"), Array[Byte](1))
      assert(refusal(store(s"$file/sub").begin(1)).contains("expected to begin a checkpoint"))
      assert(refusal(store("nowhere://host/path").requireEmpty()).contains("nowhere"))
    }
  }

  test("weights of another model and state of another optimizer are refused") {
    withFolder { folder =>
      val checkpoint = save(store(folder.toString), 10)
      val other = NativeModel.define(Sequential(Seq(4)).add(Dense(3)).toJson)
      Using.resources(other, new NativeBuffer(weights * 12L)) { (other, state) =>
        assert(refusal(checkpoint.readWeights(other, state)).contains("got another one"))
        val message = refusal(checkpoint.readState(SliceRange(0, weights.toLong), 3, state))
        assert(message.contains("expected the state of an optimizer with 3 vectors, got 2"))
        val beyond = refusal(checkpoint.readState(SliceRange(0, weights + 1L), 2, state))
        assert(beyond.contains("expected the state of 1092 weights, got 1091"))
      }
    }
  }
}
