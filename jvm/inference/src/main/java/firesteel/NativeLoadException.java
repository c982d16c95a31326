package firesteel;

/**
 * The native library could not be loaded in this JVM. The message says why and what to do; every
 * later use of the library in the same JVM throws the same reason again.
 */
public final class NativeLoadException extends NativeException {
  private static final long serialVersionUID = 1L;

  /** An exception with the reason and the remedy. */
  public NativeLoadException(String message, Throwable cause) {
    super(message, cause);
  }
}
