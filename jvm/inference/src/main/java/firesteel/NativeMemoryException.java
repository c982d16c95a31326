package firesteel;

/** Native memory that could not be had; nothing was changed by the call that threw it. */
public final class NativeMemoryException extends NativeException {
  private static final long serialVersionUID = 1L;

  /** An exception whose message names the bytes that were asked for. */
  public NativeMemoryException(String message) {
    super(message);
  }
}
