package firesteel.train

import java.io.{ByteArrayOutputStream, EOFException, IOException}
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.{SparkConf, SparkException}

import firesteel.jni.NativeModel
import firesteel.nn._

class ModelFileSuite extends TrainingFixture {
  private val json = new ObjectMapper

  private def conf(piece: Int): SparkConf =
    new SparkConf(false).set("spark.firesteel.model.piece", piece.toString)

  /** The bytes of the weights of [[network]] in the order of the vector: 67 floats. */
  private val flat: Array[Byte] = Array.tabulate(67 * 4)(i => (i % 61).toByte)

  private def file(conf: SparkConf): ModelFile = {
    val model = NativeModel.define(network.toJson)
    try ModelFile.create(conf, model) { piece =>
        flat.slice((piece.begin * 4).toInt, (piece.end * 4).toInt)
      }
    finally model.close()
  }

  /** A copy of a model file with these bytes. */
  private def copyOf(whole: Array[Byte], piece: Int = 7): ModelFile =
    ModelFile.copyOf(conf(piece), whole.length.toLong) { (from, into, offset, length) =>
      if (from + length > whole.length) throw new EOFException(s"$from and $length")
      System.arraycopy(whole, from.toInt, into, offset, length)
    }

  private def content(file: ModelFile): Seq[Byte] = {
    val out = new ByteArrayOutputStream
    file.copyTo(out)
    out.toByteArray.toSeq
  }

  private def split(whole: Array[Byte]): (ObjectNode, Array[Byte]) = {
    val length = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong.toInt
    (
      json.readTree(whole, 8, length).asInstanceOf[ObjectNode],
      whole.drop(8 + length)
    )
  }

  private def join(header: ObjectNode, body: Array[Byte]): Array[Byte] = {
    val text = json.writeValueAsString(header).getBytes(UTF_8)
    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length.toLong).array ++
      text ++ body
  }

  test("a model is the same file and the same hash in pieces of any size") {
    val whole = file(conf(1000))
    assert(content(whole).takeRight(flat.length) == flat.toSeq)
    assert(whole.bytes == content(whole).length && whole.bytes == Files.size(whole.path))
    for (piece <- Seq(1, 10, 66, 67, 68)) {
      val other = file(conf(piece))
      assert(content(other) == content(whole), s"piece $piece")
      assert(other.weightsHash == whole.weightsHash, s"piece $piece")
      val sizes = whole.mapPieces(piece)(_.length)
      assert(sizes.sum == flat.length && sizes.forall(_ <= piece * 4), s"piece $piece")
      assert(whole.mapPieces(piece)(_.toSeq).flatten == flat.toSeq, s"piece $piece")
    }
  }

  test("a training brings its model in pieces, to stay when the session has ended") {
    def trained(settings: (String, String)*): (Seq[Byte], Seq[String]) = {
      val (result, jobs) = withSpark("local[2]", settings: _*) { spark =>
        val jobs = new JobNames(spark)
        (train(spark), jobs)
      }
      assert(result.modelFile.weightsHash == result.weightsHash)
      (content(result.modelFile), jobs.containing("model file"))
    }
    val (whole, one) = trained()
    val (pieces, seven) = trained("spark.firesteel.model.piece" -> "10")
    assert(pieces == whole)
    assert(one.length == 1 && seven.length == 7)
  }

  test("a model larger than spark.driver.maxResultSize comes home in pieces that are not") {
    val wide = Sequential(Seq(4)).add(Dense(40000)).add(Dense(3))
    def fit(piece: Int): TrainingResult = withSpark(
      "local[2]",
      "spark.driver.maxResultSize" -> "256k",
      "spark.firesteel.model.piece" -> piece.toString
    )(spark => train(spark, settings(epochs = 1).copy(definition = wide.toJson)))
    val result = fit(20000)
    assert(result.modelFile.bytes > 4 * 256 * 1024)
    assert(result.modelFile.weightsHash == result.weightsHash)
    assert(intercept[SparkException](fit(200000)).getMessage.contains("maxResultSize"))
  }

  test("tensors are taken from a file in any order, beside others") {
    val (header, body) = split(content(file(conf(1000))).toArray)
    val names = header.fieldNames.asScala.filter(_ != "__metadata__").toVector
    assert(names.length == 4)
    val other = json.createObjectNode
    other.set[ObjectNode]("__metadata__", header.get("__metadata__"))
    val stranger = other.putObject("stranger")
    stranger.put("dtype", "I8").putArray("shape").add(3)
    stranger.putArray("data_offsets").add(0).add(3)
    val parts = names.reverse.foldLeft(Array[Byte](1, 2, 3)) { (before, name) =>
      val tensor = header.get(name).deepCopy[ObjectNode]
      val range = tensor.get("data_offsets")
      val bytes = body.slice(range.get(0).asInt, range.get(1).asInt)
      tensor.putArray("data_offsets").add(before.length).add(before.length + bytes.length)
      other.set[ObjectNode](name, tensor)
      before ++ bytes
    }
    assert(content(copyOf(join(other, parts))) == content(file(conf(1000))))
  }

  test("what is not a whole model file is refused, whatever is missing") {
    val whole = content(file(conf(1000))).toArray
    assert(content(copyOf(whole)) == whole.toSeq)
    (0 until whole.length).by(13).foreach { length =>
      intercept[IOException](copyOf(whole.take(length)))
    }
    val (header, body) = split(whole)
    header.remove("__metadata__")
    val message = intercept[IOException](copyOf(join(header, body))).getMessage
    assert(message.contains("expected the definition of a model in its metadata"))
    val none = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(Long.MaxValue).array
    assert(
      intercept[IOException](copyOf(none)).getMessage.contains(s"header of ${Long.MaxValue} bytes")
    )
  }

  test("the file is deleted when nothing refers to it, or when it could not be filled") {
    val path = pathOnly()
    val deadline = System.nanoTime + 20000000000L
    while (Files.exists(path) && System.nanoTime < deadline) {
      System.gc()
      Thread.sleep(20)
    }
    assert(!Files.exists(path))
    def files = path.getParent.toFile.list.toSet
    val before = files
    val model = NativeModel.define(network.toJson)
    def gone(piece: SliceRange): Array[Byte] = throw new IOException(s"$piece is gone")
    try intercept[IOException](ModelFile.create(conf(10), model)(gone))
    finally model.close()
    assert((files -- before).isEmpty)
  }

  private def pathOnly(): Path = {
    val one = file(conf(10))
    assert(Files.exists(one.path))
    one.path
  }
}
