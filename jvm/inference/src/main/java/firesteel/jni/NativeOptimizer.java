package firesteel.jni;

/**
 * An update rule for slices of the flat vector; pure, so one object serves any number of threads.
 */
public final class NativeOptimizer extends NativeHandle {
  /**
   * The rule that {@code json} defines, for the parameters of {@code model}.
   *
   * @throws IllegalArgumentException if the class or a setting is not valid
   */
  public NativeOptimizer(NativeModel model, String json) {
    this(model, json, 1);
  }

  /**
   * The same, with updates spread over {@code threads}; the results do not depend on it.
   *
   * @throws IllegalArgumentException if {@code threads} is not positive too
   */
  public NativeOptimizer(NativeModel model, String json, int threads) {
    this(model, json, threads, "{}", 0);
  }

  /**
   * The same, for gradients of workers with this strategy and seed.
   *
   * @throws IllegalArgumentException if the strategy cannot be read too
   */
  public NativeOptimizer(
      NativeModel model, String json, int threads, String strategyJson, long seed) {
    super(create0(model.handle(), json, threads, strategyJson, seed));
  }

  /** The rule as JSON, with all settings, also those that were left out. */
  public String definition() {
    return definition0(handle());
  }

  /** Number of state vectors, each as long as the slice. */
  public int slots() {
    return slots0(handle());
  }

  /** The state vector that holds the moving average of the weights; -1 if there is none. */
  public int averageSlot() {
    return averageSlot0(handle());
  }

  /** Slice {@code n} of {@code of} slices of a vector: begin and end, in floats. */
  public static long[] slice(int n, int of, long length) {
    NativeLibrary.load();
    return slice0(n, of, length);
  }

  /**
   * The maximal aligned subtrees of the shards {@code begin} to {@code end} (excluded): pairs of
   * first shard and level, by rising shards.
   *
   * @param shards number of shards of the training; {@code end} counts as at most that
   */
  public static int[] roots(int begin, int end, int shards) {
    NativeLibrary.load();
    return roots0(begin, end, shards);
  }

  /**
   * Slice {@code n} of {@code of} slices of the model's flat vector: begin and end, in floats.
   *
   * <p>Rules that {@linkplain #needsSums need sums} have slices that cut no cell of a fixed grid;
   * some may be empty.
   */
  public long[] parameterSlice(int n, int of) {
    return parameterSlice0(handle(), n, of);
  }

  /** Whether {@link #update} needs the {@link #partialSums} of all slices. */
  public boolean needsSums() {
    return needsSums0(handle());
  }

  /**
   * What slice {@code n} contributes to the sums over the whole vector that the rule needs: one
   * after the other, the contributions of all slices are the same however many slices there are.
   * Empty if the rule {@linkplain #needsSums needs none}.
   *
   * <p>The arguments are those of {@link #update}.
   */
  public double[] partialSums(
      int n,
      int of,
      int shards,
      long iteration,
      int[] roots,
      NativeBuffer[] gradients,
      long[] gradientOffsets,
      NativeBuffer weightsOld,
      NativeBuffer stateOld) {
    return partialSums0(
        handle(),
        n,
        of,
        shards,
        iteration,
        roots,
        handles(gradients),
        gradientOffsets,
        weightsOld.handle(),
        stateOld.handle());
  }

  /**
   * Reduces {@linkplain #parameterSlice slice} {@code n} of all gradients along the fixed tree and
   * updates it.
   *
   * @param shards number of shards of the training
   * @param iteration iterations done before this one
   * @param rateFactor factor of the learning rate: 1, or what measured values have made of it
   * @param sums the {@link #partialSums} of slices 0 to {@code of - 1}, one after the other; empty
   *     if the rule {@linkplain #needsSums needs none}
   * @param roots pairs of first shard and level; together they cover all shards
   * @param gradients for each root, the buffer that holds its slice
   * @param gradientOffsets for each root, where its slice begins in the buffer, in floats
   * @param weightsOld the full vector of iteration t, only read
   * @param stateOld {@link #slots} vectors of the slice's length, only read
   * @param weightsNew the full vector of t + 1, of which the slice is written
   * @param stateNew as stateOld, written
   * @throws IllegalArgumentException if roots do not cover the shards, a buffer is too small or the
   *     sums are not those of all slices
   */
  public void update(
      int n,
      int of,
      int shards,
      long iteration,
      double rateFactor,
      double[] sums,
      int[] roots,
      NativeBuffer[] gradients,
      long[] gradientOffsets,
      NativeBuffer weightsOld,
      NativeBuffer stateOld,
      NativeBuffer weightsNew,
      NativeBuffer stateNew) {
    update0(
        handle(),
        n,
        of,
        shards,
        iteration,
        rateFactor,
        sums,
        roots,
        handles(gradients),
        gradientOffsets,
        weightsOld.handle(),
        stateOld.handle(),
        weightsNew.handle(),
        stateNew.handle());
  }

  /**
   * Bytes in which the floats {@code begin .. end} of a gradient travel: 4 for each, or 2 for each
   * but running statistics if the strategy compresses gradients.
   *
   * @throws IllegalArgumentException if the model has no such range
   */
  public long gradientBytes(long begin, long end) {
    return gradientBytes0(handle(), begin, end);
  }

  /**
   * Brings a whole gradient into the form in which it travels: any range of it is the bytes from
   * {@code gradientBytes(0, begin)} on.
   *
   * @param packed all of its {@link #gradientBytes}, written
   * @throws IllegalArgumentException if it has another size
   */
  public void pack(NativeBuffer gradient, NativeBuffer packed) {
    pack0(handle(), gradient.handle(), packed.handle());
  }

  /**
   * Reads the floats {@code begin .. end} of a gradient from the form in which they travelled.
   *
   * @param gradient the floats, written from its begin on
   * @throws IllegalArgumentException if {@code packed} has not the size of the range
   */
  public void unpack(long begin, long end, NativeBuffer packed, NativeBuffer gradient) {
    unpack0(handle(), begin, end, packed.handle(), gradient.handle());
  }

  /** Learning rate of an iteration, counted from 0. */
  public double learningRate(long iteration) {
    return learningRate0(handle(), iteration);
  }

  /**
   * The factor that the values measured so far make of the learning rate: that of a Plateau
   * schedule, else 1.
   *
   * @param history what the schedule monitors, the oldest first
   */
  public double rateFactor(double[] history) {
    return rateFactor0(handle(), history);
  }

  private static native long create0(
      long model, String json, int threads, String strategyJson, long seed);

  private static native long gradientBytes0(long handle, long begin, long end);

  private static native void pack0(long handle, long gradient, long packed);

  private static native void unpack0(long handle, long begin, long end, long packed, long gradient);

  private static native String definition0(long handle);

  private static native int slots0(long handle);

  private static native int averageSlot0(long handle);

  private static native long[] slice0(int n, int of, long length);

  private static native int[] roots0(int begin, int end, int shards);

  private static native long[] parameterSlice0(long handle, int n, int of);

  private static native boolean needsSums0(long handle);

  private static native double[] partialSums0(
      long handle,
      int n,
      int of,
      int shards,
      long iteration,
      int[] roots,
      long[] gradients,
      long[] gradientOffsets,
      long weightsOld,
      long stateOld);

  private static native void update0(
      long handle,
      int n,
      int of,
      int shards,
      long iteration,
      double rateFactor,
      double[] sums,
      int[] roots,
      long[] gradients,
      long[] gradientOffsets,
      long weightsOld,
      long stateOld,
      long weightsNew,
      long stateNew);

  private static native double rateFactor0(long handle, double[] history);

  private static native double learningRate0(long handle, long iteration);
}
