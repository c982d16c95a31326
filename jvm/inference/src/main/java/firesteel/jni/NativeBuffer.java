package firesteel.jni;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory of fixed size outside the Java heap: zeroed, aligned to 64 bytes.
 *
 * <p>A range is read by any number of native calls at once or written by one; a call that meets
 * another one's range throws {@link IllegalStateException}.
 */
public final class NativeBuffer extends NativeHandle {
  private final long bytes;

  /**
   * Allocates {@code bytes} zeros.
   *
   * @throws IllegalArgumentException if {@code bytes} is negative
   * @throws firesteel.NativeMemoryException if the memory cannot be had
   */
  public NativeBuffer(long bytes) {
    this(create(bytes), bytes);
  }

  /** Takes over a native buffer that a call returned. */
  NativeBuffer(long handle, long bytes) {
    super(handle);
    this.bytes = bytes;
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * A view of the range {@code offset .. offset + length}, little endian, read and write.
   *
   * <p>The view is the memory itself and knows nothing of {@link #close}: it must not be touched
   * after this buffer is closed.
   *
   * @throws IllegalArgumentException if the range leaves the buffer
   * @throws IllegalStateException after {@link #close}
   */
  public ByteBuffer slice(long offset, int length) {
    return slice0(handle(), offset, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Copies {@code bytes} of {@code src} from {@code srcOffset} to {@code dstOffset} of this buffer.
   *
   * @throws IllegalArgumentException if a range leaves its buffer
   * @throws IllegalStateException if a buffer is closed, or a range is in use by another call
   */
  public void copyFrom(long dstOffset, NativeBuffer src, long srcOffset, long bytes) {
    copy0(handle(), dstOffset, src.handle(), srcOffset, bytes);
  }

  /**
   * SHA-256 of the first {@code floats} numbers as little-endian bytes, in hexadecimal: the
   * weights' hash.
   *
   * @throws IllegalArgumentException if the buffer holds fewer numbers
   */
  public String sha256(long floats) {
    return hash0(handle(), floats);
  }

  /** Bytes of native memory alive in this process in all objects of the library. */
  public static long allocated() {
    NativeLibrary.load();
    return allocated0();
  }

  private static long create(long bytes) {
    NativeLibrary.load();
    return create0(bytes);
  }

  private static native long create0(long bytes);

  private static native ByteBuffer slice0(long handle, long offset, int length);

  private static native void copy0(
      long handle, long dstOffset, long src, long srcOffset, long bytes);

  private static native String hash0(long handle, long floats);

  private static native long allocated0();
}
