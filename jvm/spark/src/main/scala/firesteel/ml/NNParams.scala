package firesteel.ml

import org.apache.spark.ml.param._
import org.apache.spark.ml.param.shared.{HasFeaturesCol, HasLabelCol, HasPredictionCol, HasSeed}

import firesteel.optim.Trigger

/** Which columns a model reads and writes. */
trait NNColumns extends Params with HasFeaturesCol with HasPredictionCol {

  /**
   * Columns with the features, if they are not one: a column per input of the model, or a column of
   * numbers per element of the single input.
   *
   * @group param
   */
  final val featuresCols: StringArrayParam =
    new StringArrayParam(this, "featuresCols", "columns with the features, if they are not one")

  /** @group setParam */
  def setFeaturesCol(value: String): this.type = set(featuresCol, value)

  /** @group setParam */
  def setFeaturesCol(values: Array[String]): this.type = set(featuresCols, values)

  /** @group setParam */
  def setPredictionCol(value: String): this.type = set(predictionCol, value)

  /** @group getParam */
  final def getFeaturesCols: Array[String] = get(featuresCols).getOrElse(Array(getFeaturesCol))
}

/** How many rows are handled at once. */
trait HasBatchSize extends Params {

  /**
   * Rows of a batch, 1 or more; in training those of an iteration over all executors.
   *
   * @group param
   */
  final val batchSize: IntParam =
    new IntParam(this, "batchSize", "rows of a batch, 1 or more", ParamValidators.gt(0))

  /** @group setParam */
  def setBatchSize(value: Int): this.type = set(batchSize, value)

  /** @group getParam */
  final def getBatchSize: Int = $(batchSize)
}

/** How the optimizer moves the weights. */
trait HasOptimizer extends Params {

  /**
   * The optimizer as JSON. If it is not set: SGD with a step size of 0.001.
   *
   * @group param
   */
  final val optimizer: Param[String] = new Param[String](this, "optimizer", "optimizer as JSON")

  /**
   * Step size, 0 or more. If it is set it takes the place of the optimizer's own.
   *
   * @group param
   */
  final val learningRate: DoubleParam = new DoubleParam(
    this,
    "learningRate",
    "step size, 0 or more, in place of the optimizer's own",
    ParamValidators.gtEq(0)
  )

  /**
   * Decay d of the step size to `learningRate / (1 + d · iteration)`, 0 or more. If it is set it
   * takes the place of the optimizer's own.
   *
   * @group param
   */
  final val learningRateDecay: DoubleParam = new DoubleParam(
    this,
    "learningRateDecay",
    "decay of the step size per iteration, 0 or more, in place of the optimizer's own",
    ParamValidators.gtEq(0)
  )

  /** @group setParam */
  def setLearningRate(value: Double): this.type = set(learningRate, value)

  /** @group setParam */
  def setLearningRateDecay(value: Double): this.type = set(learningRateDecay, value)

  /** @group getParam */
  final def getLearningRate: Option[Double] = get(learningRate)

  /** @group getParam */
  final def getLearningRateDecay: Option[Double] = get(learningRateDecay)
}

/** How long and in how many parts a training goes. */
trait NNTrainingParams
    extends NNColumns
    with HasLabelCol
    with HasBatchSize
    with HasOptimizer
    with HasClipping
    with HasCheckpoint
    with HasStrategy
    with HasSeed {

  /**
   * The model's definition as JSON.
   *
   * @group param
   */
  final val model: Param[String] =
    new Param[String](this, "model", "definition of the model as JSON")

  /**
   * The loss as JSON.
   *
   * @group param
   */
  final val loss: Param[String] = new Param[String](this, "loss", "loss as JSON")

  /**
   * How often every row is seen, 1 or more. Default 50.
   *
   * @group param
   */
  final val maxEpoch: IntParam =
    new IntParam(this, "maxEpoch", "how often every row is seen, 1 or more", ParamValidators.gt(0))

  /**
   * When the training ends: a trigger as JSON. If it is set it takes the place of [[maxEpoch]].
   *
   * @group param
   */
  final val endWhen: Param[String] =
    new Param[String](this, "endWhen", "when the training ends, a trigger as JSON")

  /**
   * When the validation rows are measured: a trigger as JSON. Default: after every epoch.
   *
   * @group param
   */
  final val validationTrigger: Param[String] = new Param[String](
    this,
    "validationTrigger",
    "when the validation rows are measured, a trigger as JSON"
  )

  /**
   * Number of shards of the training set and of every batch, 1 or more: the same number gives the
   * same weights on any cluster. Default: `spark.firesteel.shards`, else all cores.
   *
   * @group expertParam
   */
  final val shards: IntParam =
    new IntParam(this, "shards", "number of shards, 1 or more", ParamValidators.gt(0))

  /**
   * Most rows of a shard that are computed at a time, 1 or more: their gradients are added up, so a
   * batch may be larger than the memory for its activations (gradient accumulation). Batch
   * normalization then normalizes over these rows. Default: no limit.
   *
   * @group expertParam
   */
  final val microBatch: IntParam =
    new IntParam(this, "microBatch", "rows computed at a time, 1 or more", ParamValidators.gt(0))

  setDefault(
    batchSize -> 32,
    maxEpoch -> 50,
    seed -> 42L,
    validationTrigger -> Trigger.everyEpoch.toJson
  )

  /** @group setParam */
  def setLabelCol(value: String): this.type = set(labelCol, value)

  /** @group setParam */
  def setMaxEpoch(value: Int): this.type = set(maxEpoch, value)

  /**
   * Ends the training when `value` fires, in place of [[setMaxEpoch]].
   *
   * @group setParam
   */
  def setEndWhen(value: Trigger): this.type = set(endWhen, value.toJson)

  /** @group setParam */
  def setSeed(value: Long): this.type = set(seed, value)

  /** @group expertSetParam */
  def setShards(value: Int): this.type = set(shards, value)

  /** @group expertSetParam */
  def setMicroBatch(value: Int): this.type = set(microBatch, value)

  /** @group getParam */
  final def getMaxEpoch: Int = $(maxEpoch)

  /**
   * When the training ends: [[endWhen]], or else after [[maxEpoch]] epochs.
   *
   * @group getParam
   */
  final def getEndWhen: Trigger =
    get(endWhen).map(Trigger.fromJson).getOrElse(Trigger.maxEpoch(getMaxEpoch))

  /** @group getParam */
  final def getValidationTrigger: Trigger = Trigger.fromJson($(validationTrigger))

  /** @group expertGetParam */
  final def getShards: Option[Int] = get(shards)

  /** @group expertGetParam */
  final def getMicroBatch: Option[Int] = get(microBatch)
}
