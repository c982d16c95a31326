package firesteel.train

import firesteel.optim.Trigger

/**
 * Where and when a training writes checkpoints.
 *
 * @param path folder on any Hadoop file system
 * @param trigger when one is written
 * @param keep how many are kept, 1 or more
 * @param resume whether the training goes on with the newest checkpoint in the folder, if there is
 *     one; if not, the folder must not hold any
 * @param allowChanges whether a resumed training may have other settings than the checkpoint
 */
final case class CheckpointSettings(
    path: String,
    trigger: Trigger,
    keep: Int = 1,
    resume: Boolean = false,
    allowChanges: Boolean = false
)
