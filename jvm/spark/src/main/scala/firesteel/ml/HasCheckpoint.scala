package firesteel.ml

import org.apache.spark.ml.param._

import firesteel.optim.Trigger
import firesteel.train.CheckpointSettings

/**
 * Where and when checkpoints are written, and whether a training goes on with one.
 *
 * {{{
 * estimator
 *   .setCheckpoint("hdfs:///checkpoints/lenet", Trigger.severalIteration(1000), keep = 2)
 *   .setResume(true)
 * }}}
 *
 * A program with these lines can be run again after it ended for any reason: it goes on with the
 * newest checkpoint to the same weights, bit for bit, as if nothing had happened. Once its training
 * is complete, running it again gives the trained model at once; to train longer raise `maxEpoch`
 * or change `endWhen`.
 */
trait HasCheckpoint extends Params {

  /**
   * Folder of the checkpoints, on any Hadoop file system. If it is not set none are written.
   *
   * @group param
   */
  final val checkpointPath: Param[String] =
    new Param[String](this, "checkpointPath", "folder of the checkpoints")

  /**
   * When a checkpoint is written: a trigger as JSON. Default: after every epoch.
   *
   * @group param
   */
  final val checkpointTrigger: Param[String] =
    new Param[String](this, "checkpointTrigger", "when a checkpoint is written, a trigger as JSON")

  /**
   * How many checkpoints are kept, 1 or more. Default 1.
   *
   * @group param
   */
  final val checkpointKeep: IntParam = new IntParam(
    this,
    "checkpointKeep",
    "how many checkpoints are kept, 1 or more",
    ParamValidators.gt(0)
  )

  /**
   * Whether a training goes on with the newest checkpoint in its folder, if there is one. If not,
   * the folder must not hold any. Default false.
   *
   * @group param
   */
  final val resume: BooleanParam = new BooleanParam(
    this,
    "resume",
    "whether a training goes on with the newest checkpoint, if there is one"
  )

  /**
   * Whether a resumed training may have other settings than the checkpoint: loss, settings of the
   * optimizer, batch size, seed, shards, rows. Where these decide which rows an iteration takes,
   * the epoch that was broken off begins again. The result is then not that of any undisturbed
   * training. Model and class of the optimizer must be the same. Default false: another setting is
   * an error that names it.
   *
   * @group expertParam
   */
  final val resumeChanged: BooleanParam = new BooleanParam(
    this,
    "resumeChanged",
    "whether a resumed training may have other settings than its checkpoint"
  )

  setDefault(
    checkpointTrigger -> Trigger.everyEpoch.toJson,
    checkpointKeep -> 1,
    resume -> false,
    resumeChanged -> false
  )

  /**
   * Writes checkpoints.
   *
   * @param path folder on any Hadoop file system
   * @param trigger when one is written
   * @param keep how many are kept, 1 or more
   * @group setParam
   */
  def setCheckpoint(path: String, trigger: Trigger, keep: Int = 1): this.type =
    set(checkpointPath, path).set(checkpointTrigger, trigger.toJson).set(checkpointKeep, keep)

  /**
   * Writes checkpoints, with the arguments of BigDL's nnframes.
   *
   * @param isOverWrite whether the newest checkpoint alone is kept, or all
   * @group setParam
   */
  def setCheckpoint(path: String, trigger: Trigger, isOverWrite: Boolean): this.type =
    setCheckpoint(path, trigger, if (isOverWrite) 1 else Int.MaxValue)

  /** @group setParam */
  def setResume(value: Boolean): this.type = set(resume, value)

  /** @group expertSetParam */
  def setResumeChanged(value: Boolean): this.type = set(resumeChanged, value)

  /**
   * Where and when checkpoints are written, if they are.
   *
   * @throws java.lang.IllegalStateException if the training shall resume from nowhere
   * @group getParam
   */
  final def getCheckpoint: Option[CheckpointSettings] = {
    if ($(resume) && !isDefined(checkpointPath)) {
      throw new IllegalStateException(
        s"$uid: expected a folder of checkpoints to resume from, got none. Call " +
          "setCheckpoint(…) too."
      )
    }
    get(checkpointPath).map { path =>
      val trigger = Trigger.fromJson($(checkpointTrigger))
      CheckpointSettings(path, trigger, $(checkpointKeep), $(resume), $(resumeChanged))
    }
  }
}
