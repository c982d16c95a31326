package firesteel.train

import firesteel.NativeException

/** A training that could not go on; the message says who, expected, got and what to do. */
class TrainingException(message: String, cause: Option[Throwable] = None)
    extends RuntimeException(message, cause.orNull)

/** All executors are gone, and no other has come. */
final class ExecutorLostException(message: String) extends TrainingException(message)

/** Some state of the optimizer is gone with the executors that had it; the driver knows what to do. */
private[train] final class StateLostException(message: String) extends TrainingException(message)

/** An executor cannot load the native library. */
final class ExecutorNativeException(message: String, cause: NativeException)
    extends TrainingException(message, Some(cause))

/** The loss is no number any more. */
final class DivergedException(message: String) extends TrainingException(message)
