package firesteel.train

import firesteel.NativeException

/** A training that could not go on; the message says who, expected, got and what to do. */
class TrainingException(message: String, cause: Option[Throwable] = None)
    extends RuntimeException(message, cause.orNull)

/** An executor that was part of a training is gone. */
final class ExecutorLostException(message: String) extends TrainingException(message)

/** An executor cannot load the native library. */
final class ExecutorNativeException(message: String, cause: NativeException)
    extends TrainingException(message, Some(cause))

/** The loss is no number any more. */
final class DivergedException(message: String) extends TrainingException(message)
