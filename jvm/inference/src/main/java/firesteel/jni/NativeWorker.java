package firesteel.jni;

/**
 * The forward and backward passes of an executor: single-threaded replicas of the network, each
 * working on one shard at a time.
 *
 * <p>Calls from several threads wait for each other.
 */
public final class NativeWorker extends NativeHandle {
  /**
   * A worker without shards.
   *
   * @param threads number of replicas that run at once; the results do not depend on it
   * @throws IllegalArgumentException if {@code threads} is not positive or the loss does not fit
   */
  public NativeWorker(NativeModel model, String lossJson, int threads, long seed) {
    this(model, lossJson, threads, seed, 0);
  }

  /**
   * The same, running at most {@code microBatch} rows of a shard at a time and adding their
   * gradients up; 0 is no limit. Batch normalization then normalizes over these rows.
   *
   * @throws IllegalArgumentException if {@code microBatch} is negative too
   */
  public NativeWorker(NativeModel model, String lossJson, int threads, long seed, int microBatch) {
    this(model, lossJson, threads, seed, microBatch, "{}", "{\"class\": \"SGD\", \"config\": {}}");
  }

  /**
   * The same, with a strategy of the exchange as JSON: {@code {"gradient_compression": "bf16"}}
   * rounds the gradients to 16 bits; {@code {"local_steps": 8}} makes each shard take 8 steps by
   * itself with the rule {@code optimizerJson} before its weights are exchanged; {@code {}} is
   * neither.
   *
   * @throws IllegalArgumentException if strategy or rule cannot be read too
   */
  public NativeWorker(
      NativeModel model,
      String lossJson,
      int threads,
      long seed,
      int microBatch,
      String strategyJson,
      String optimizerJson) {
    super(
        create0(model.handle(), lossJson, threads, seed, microBatch, strategyJson, optimizerJson));
  }

  /**
   * Hosts {@code shard} with these rows.
   *
   * @throws IllegalStateException if {@code data} is not sealed
   */
  public void setShard(int shard, NativeDataset data) {
    setShard0(handle(), shard, data.handle());
  }

  /** Stops hosting {@code shard} and frees its gradient; false if it was not hosted. */
  public boolean removeShard(int shard) {
    return removeShard0(handle(), shard);
  }

  /**
   * Gradients of the hosted shards' parts of one batch.
   *
   * @param shards number of shards of the whole training
   * @param index which iteration of the epoch
   * @param of number of iterations of the epoch
   * @param count rows of this iteration over all shards
   * @return sum of the losses and number of rows of each hosted shard, in shard order
   */
  public double[] forwardBackward(
      NativeBuffer weights,
      int shards,
      long iteration,
      long epoch,
      long index,
      long of,
      long count) {
    return forwardBackward(weights, shards, iteration, epoch, index, of, count, 1);
  }

  /**
   * The same, with a factor of the learning rate of the steps that a shard takes by itself, if the
   * strategy says so. Their results take the place of gradients then: subtracted from the weights,
   * their sum over all shards gives the mean of the shards' weights.
   */
  public double[] forwardBackward(
      NativeBuffer weights,
      int shards,
      long iteration,
      long epoch,
      long index,
      long of,
      long count,
      double rateFactor) {
    return forwardBackward0(
        handle(), weights.handle(), shards, iteration, epoch, index, of, count, rateFactor);
  }

  /** The subtrees whose gradients this worker has: pairs of first shard and level. */
  public int[] roots() {
    return roots0(handle());
  }

  /**
   * The gradient of the subtree {@code root} (an index into {@link #roots}'s pairs): the worker's
   * own memory, valid until the next {@link #forwardBackward}. The caller closes it.
   */
  public NativeBuffer gradient(int root) {
    long[] buffer = gradient0(handle(), root);
    return new NativeBuffer(buffer[0], buffer[1]);
  }

  /** Number of rows, sum of losses, number of right answers of {@code data}. */
  public double[] evaluate(NativeBuffer weights, NativeDataset[] data, int batch) {
    return evaluate0(handle(), weights.handle(), handles(data), batch);
  }

  private static native long create0(
      long model,
      String lossJson,
      int threads,
      long seed,
      int microBatch,
      String strategyJson,
      String optimizerJson);

  private static native void setShard0(long handle, int shard, long data);

  private static native boolean removeShard0(long handle, int shard);

  private static native double[] forwardBackward0(
      long handle,
      long weights,
      int shards,
      long iteration,
      long epoch,
      long index,
      long of,
      long count,
      double rateFactor);

  private static native int[] roots0(long handle);

  private static native long[] gradient0(long handle, int root);

  private static native double[] evaluate0(long handle, long weights, long[] data, int batch);
}
