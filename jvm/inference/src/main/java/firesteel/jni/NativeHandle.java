package firesteel.jni;

import java.util.concurrent.atomic.AtomicLong;

/**
 * An object of the native library, owned by this Java object until {@link #close}.
 *
 * <p>Safe for use by many threads. Closing while another thread is inside a call is safe as well:
 * the call ends undisturbed and the memory is released after it.
 */
public abstract class NativeHandle implements AutoCloseable {
  private final AtomicLong handle;

  NativeHandle(long handle) {
    this.handle = new AtomicLong(handle);
  }

  /**
   * The native library's name for this object.
   *
   * @throws IllegalStateException after {@link #close}
   */
  public final long handle() {
    long value = handle.get();
    if (value == 0) {
      throw new IllegalStateException(
          getClass().getSimpleName()
              + ": expected an open object, got a closed one. Close it after its last use.");
    }
    return value;
  }

  /** Whether {@link #close} was called. */
  public final boolean isClosed() {
    return handle.get() == 0;
  }

  /** Releases the native object; the second call does nothing. */
  @Override
  public final void close() {
    long value = handle.getAndSet(0);
    if (value != 0) {
      free0(value);
    }
  }

  static long[] handles(NativeHandle[] objects) {
    long[] handles = new long[objects.length];
    for (int i = 0; i < objects.length; i++) {
      handles[i] = objects[i].handle();
    }
    return handles;
  }

  private static native void free0(long handle);
}
