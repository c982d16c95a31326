package firesteel;

/**
 * A fault inside the native library that is not the caller's: a panic, a failed kernel, a message
 * of the library that fits no standard exception.
 *
 * <p>The message of a panic ends with the native backtrace. Please report it.
 */
public class NativeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that says who, expected, got and what to do. */
  public NativeException(String message) {
    super(message);
  }

  /** The same, with the exception that led to it. */
  public NativeException(String message, Throwable cause) {
    super(message, cause);
  }
}
