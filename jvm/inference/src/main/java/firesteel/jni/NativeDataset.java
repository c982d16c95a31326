package firesteel.jni;

/** The rows of one shard of the training or validation set, in native memory. */
public final class NativeDataset extends NativeHandle {
  /**
   * An empty set of rows for {@code model}.
   *
   * @throws IllegalArgumentException if the loss is not known or does not fit the model's output
   */
  public NativeDataset(NativeModel model, String lossJson) {
    super(create0(model.handle(), lossJson));
  }

  /**
   * Appends whole records: the floats of all inputs in order, then those of the label, little
   * endian.
   *
   * @throws IllegalArgumentException if {@code length} is not a whole number of records, or a
   *     number is NaN or infinite, or a label is out of range; names the row; nothing is appended
   *     then
   * @throws IllegalStateException after {@link #seal}
   */
  public void append(byte[] records, int length) {
    append0(handle(), records, length);
  }

  /** Sorts the rows into their canonical order, whatever the order they came in. */
  public void seal() {
    seal0(handle());
  }

  /** Number of rows. */
  public long rows() {
    return rows0(handle());
  }

  /** Native memory of the rows. */
  public long bytes() {
    return bytes0(handle());
  }

  private static native long create0(long model, String lossJson);

  private static native void append0(long handle, byte[] records, int length);

  private static native void seal0(long handle);

  private static native long rows0(long handle);

  private static native long bytes0(long handle);
}
