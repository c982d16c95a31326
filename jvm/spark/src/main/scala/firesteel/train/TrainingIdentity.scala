package firesteel.train

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode

/**
 * What makes a training this one: equal identities give equal bits.
 *
 * @param definition the model, as JSON
 * @param loss the loss, as JSON
 * @param optimizer the optimizer, as JSON
 * @param batchSize rows of an iteration
 * @param seed of initial weights, dropout and the order of the rows
 * @param rows number of training rows of each shard, so also the number of shards S
 * @param microBatch most rows of a shard that are computed at a time; 0 is no limit
 * @param strategy what the shards exchange
 */
private[firesteel] final case class TrainingIdentity(
    definition: String,
    loss: String,
    optimizer: String,
    batchSize: Int,
    seed: Long,
    rows: Vector[Long],
    microBatch: Int = 0,
    strategy: Strategy = Strategy()
) {

  /**
   * Checks that a training with this identity can go on with a checkpoint of another one.
   *
   * @param allowChanges whether anything but the model and the form of the optimizer's state may differ
   * @throws CheckpointException if it cannot; names every difference
   */
  def checkResume(saved: TrainingIdentity, folder: String, allowChanges: Boolean): Unit = {
    val differing = differences(saved)
    val refused = if (allowChanges) differing.filter(_.isFatal) else differing
    if (refused.nonEmpty) {
      val remedy =
        if (refused.exists(_.isFatal)) "Choose another folder for the checkpoints."
        else
          "Set them as they were, choose another folder for the checkpoints, or call " +
            "setResumeChanged(true) to go on with the changed settings."
      throw new CheckpointException(
        s"checkpoint $folder: expected the settings it was written with, got " +
          refused.map(_.text).mkString("; ") + s". $remedy"
      )
    }
  }

  /** Whether `saved` differs in what decides which rows an iteration takes. */
  def takesOtherRows(saved: TrainingIdentity): Boolean =
    (iterationRows, seed, rows) != ((saved.iterationRows, saved.seed, saved.rows))

  private def iterationRows: Long = strategy.iterationRows(batchSize)

  private def differences(saved: TrainingIdentity): Seq[Difference] = {
    import TrainingIdentity.{inJson, inValue, ruleOf}
    val isOtherRule = ruleOf(saved.optimizer) != ruleOf(optimizer)
    // Shards that take steps by themselves leave no state of the optimizer.
    val isOtherState = saved.strategy.localSteps.isEmpty != strategy.localSteps.isEmpty
    Seq(
      inJson("model", saved.definition, definition, isFatal = true),
      inJson("loss", saved.loss, loss, isFatal = false),
      inJson("optimizer", saved.optimizer, optimizer, isFatal = isOtherRule),
      inValue("batch size", saved.batchSize, batchSize),
      inValue("seed", saved.seed, seed),
      inValue("micro-batch", saved.microBatch, microBatch),
      inJson("strategy", saved.strategy.toJson, strategy.toJson, isFatal = isOtherState),
      inValue("number of shards", saved.rows.length, rows.length)
        .orElse(inValue("number of training rows", saved.rows.sum, rows.sum))
        .orElse(inValue("rows of the shards", saved.rows, rows))
    ).flatten
  }
}

/**
 * A setting that is not what it was.
 *
 * @param isFatal whether a training cannot go on with it
 */
private[train] final case class Difference(
    what: String,
    was: String,
    is: String,
    isFatal: Boolean
) {
  def text: String = s"$what ${is.take(200)} instead of ${was.take(200)}"
}

private[train] object TrainingIdentity {

  /** Class of an optimizer, on which the form of its state depends. */
  private def ruleOf(optimizer: String): String =
    JsonFields.Mapper.readTree(optimizer).path("class").asText

  private def inValue[T](what: String, was: T, is: T): Option[Difference] =
    Option.when(was != is)(Difference(what, was.toString, is.toString, isFatal = false))

  /** The first place at which two JSON texts differ. */
  private def inJson(what: String, was: String, is: String, isFatal: Boolean): Option[Difference] =
    firstDifference("", JsonFields.Mapper.readTree(was), JsonFields.Mapper.readTree(is)).map {
      case (at, was, is) =>
        def text(node: JsonNode) = if (node.isMissingNode) "nothing" else node.toString
        Difference(what + at, text(was), text(is), isFatal)
    }

  private def firstDifference(
      at: String,
      was: JsonNode,
      is: JsonNode
  ): Option[(String, JsonNode, JsonNode)] =
    if (was == is) {
      None
    } else if (was.isObject && is.isObject) {
      (names(was) ++ names(is)).distinct.iterator
        .flatMap(name => firstDifference(s"$at/$name", was.path(name), is.path(name)))
        .nextOption()
    } else if (was.isArray && is.isArray && was.size == is.size) {
      val indices = 0 until was.size
      indices.iterator
        .flatMap(n => firstDifference(s"$at/$n", was.get(n), is.get(n)))
        .nextOption()
    } else {
      Some((at, was, is))
    }

  private def names(node: JsonNode): Seq[String] = node.fieldNames.asScala.toSeq
}
