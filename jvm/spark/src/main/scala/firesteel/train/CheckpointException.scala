package firesteel.train

/** A checkpoint that cannot be written, or cannot be used. */
final class CheckpointException(message: String, cause: Option[Throwable] = None)
    extends TrainingException(message, cause)
