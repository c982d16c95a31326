package firesteel.train

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}

import firesteel.train.JsonFields.{array, obj}

/**
 * What a checkpoint consists of: the file `checkpoint.json`, which is written last.
 *
 * @param identity the training it is of
 * @param state how far the training was
 * @param blockBytes length of the blocks of all files
 * @param weights the model file
 * @param weightsHash SHA-256 of the weights, as in the log of the training
 * @param slots number of vectors of the optimizer's state
 * @param slices the files of the optimizer's state, in the order of the slices
 */
private[train] final case class CheckpointManifest(
    identity: TrainingIdentity,
    state: TrainingState,
    blockBytes: Int,
    weights: CheckpointFile,
    weightsHash: String,
    slots: Int,
    slices: IndexedSeq[StateSlice]
) {

  /** All files but the manifest. */
  def files: Seq[CheckpointFile] = weights +: slices.map(_.file)

  /** What does not go together in it, if anything. */
  private def problem: Option[String] = {
    val starts = 0L +: slices.map(_.range.end)
    if (blockBytes < 1 || blockBytes > CheckpointManifest.MaxBlockBytes)
      Some(s"blocks of $blockBytes bytes")
    else if (slices.isEmpty || slices.map(_.range.begin) != starts.init || starts != starts.sorted)
      Some("slices that do not join")
    else
      files
        .find(file => file.blocks.length != (file.bytes + blockBytes - 1) / blockBytes)
        .orElse(slices.find(slice => slice.file.bytes < slots * slice.range.bytes).map(_.file))
        .map(file => s"${file.bytes} bytes and ${file.blocks.length} blocks of ${file.name}")
  }

  /** The manifest's bytes, which carry their own hash. */
  def toBytes: Array[Byte] = {
    val content = CheckpointManifest.write(this)
    val whole = obj
      .put("sha256", CheckpointManifest.hash(content))
      .set[ObjectNode]("checkpoint", content)
    whole.toPrettyString.getBytes(UTF_8)
  }
}

private[train] object CheckpointManifest {
  val Name = "checkpoint.json"

  /** Larger blocks are taken for damage. */
  private val MaxBlockBytes = 1 << 28

  /** Version of the form of manifests; another one is refused. */
  private val Format = 1

  /**
   * The manifest with these bytes.
   *
   * @throws java.lang.IllegalArgumentException if they are not a whole manifest
   */
  def fromBytes(bytes: Array[Byte]): CheckpointManifest = {
    def refuse(problem: String): Nothing = throw new IllegalArgumentException(problem)
    val whole =
      try JsonFields.Mapper.readTree(bytes)
      catch { case e: IOException => refuse(s"no JSON: ${e.getMessage}") }
    val content = whole.path("checkpoint")
    val (expected, got) = (new JsonFields(whole).text("sha256"), hash(content))
    if (got != expected) refuse(s"content with SHA-256 $got instead of $expected")
    val fields = new JsonFields(content)
    val format = fields.int("format")
    if (format != Format) refuse(s"format $format instead of $Format")
    val manifest = read(fields)
    manifest.problem.foreach(refuse)
    manifest
  }

  private def hash(content: JsonNode): String = {
    val bytes = content.toString.getBytes(UTF_8)
    CheckpointFileReader.hash(bytes, bytes.length)
  }

  private def write(manifest: CheckpointManifest): ObjectNode = {
    val node = obj.put("format", Format)
    node.set[ObjectNode]("training", write(manifest.identity))
    node.set[ObjectNode]("state", TrainingStateJson.write(manifest.state))
    node.put("weights_hash", manifest.weightsHash)
    node.put("block_bytes", manifest.blockBytes)
    node.set[ObjectNode]("weights", write(manifest.weights))
    node.put("slots", manifest.slots)
    node.set[ObjectNode](
      "slices",
      array(manifest.slices) { slice =>
        obj
          .put("begin", slice.range.begin)
          .put("end", slice.range.end)
          .set[ObjectNode]("file", write(slice.file))
      }
    )
  }

  private def read(fields: JsonFields): CheckpointManifest = CheckpointManifest(
    identity = readIdentity(fields.fields("training")),
    state = TrainingStateJson.read(fields.fields("state")),
    blockBytes = fields.int("block_bytes"),
    weights = readFile(fields.fields("weights")),
    weightsHash = fields.text("weights_hash"),
    slots = fields.int("slots"),
    slices = fields.all("slices").map { slice =>
      StateSlice(
        SliceRange(slice.long("begin"), slice.long("end")),
        readFile(slice.fields("file"))
      )
    }
  )

  private def write(identity: TrainingIdentity): ObjectNode =
    obj
      .put("definition", identity.definition)
      .put("loss", identity.loss)
      .put("optimizer", identity.optimizer)
      .put("batch_size", identity.batchSize)
      .put("seed", identity.seed)
      .put("micro_batch", identity.microBatch)
      .set[ObjectNode]("strategy", Strategy.write(identity.strategy))
      .set[ObjectNode]("rows", longs(identity.rows))

  private def readIdentity(fields: JsonFields): TrainingIdentity = TrainingIdentity(
    definition = fields.text("definition"),
    loss = fields.text("loss"),
    optimizer = fields.text("optimizer"),
    batchSize = fields.int("batch_size"),
    seed = fields.long("seed"),
    rows = fields.longs("rows"),
    microBatch = fields.int("micro_batch"),
    strategy = Strategy.read(fields.fields("strategy"))
  )

  private def write(file: CheckpointFile): ObjectNode =
    obj
      .put("name", file.name)
      .put("bytes", file.bytes)
      .set[ObjectNode]("blocks", texts(file.blocks))

  private def readFile(fields: JsonFields): CheckpointFile =
    CheckpointFile(fields.text("name"), fields.long("bytes"), fields.texts("blocks"))

  private def longs(values: Seq[Long]): ArrayNode =
    values.foldLeft(JsonFields.Mapper.createArrayNode)((array, value) => array.add(value))

  private def texts(values: Seq[String]): ArrayNode =
    values.foldLeft(JsonFields.Mapper.createArrayNode)((array, value) => array.add(value))
}
