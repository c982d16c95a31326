package firesteel.jni;

/** Looks how the numbers of a buffer are distributed. */
public final class NativeHistogram {
  private NativeHistogram() {}

  /**
   * That of {@code length} floats of {@code buffer} from {@code offset} on, in floats.
   *
   * @throws IllegalArgumentException if the range leaves the buffer
   */
  public static Histogram of(NativeBuffer buffer, long offset, long length) {
    double[] values = of0(buffer.handle(), offset, length);
    int buckets = (values.length - 5) / 3;
    double[][] parts = new double[3][buckets];
    for (int i = 0; i < 3 * buckets; i++) {
      parts[i % 3][i / 3] = values[5 + i];
    }
    return new Histogram(
        values[0], values[1], values[2], values[3], values[4], parts[0], parts[1], parts[2]);
  }

  private static native double[] of0(long buffer, long offset, long length);
}
