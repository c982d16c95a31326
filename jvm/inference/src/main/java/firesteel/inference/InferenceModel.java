package firesteel.inference;

import firesteel.jni.NativeBuffer;
import firesteel.jni.NativeModel;
import firesteel.jni.NativePredictor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A trained network that answers from any number of threads, with one copy of its weights.
 *
 * <pre>{@code
 * try (InferenceModel model = new InferenceModel(2)) {
 *   model.load("lenet5.firesteel");
 *   float[] scores = model.predict(pixels, new int[] {1, 1, 28, 28});
 * }
 * }</pre>
 */
public final class InferenceModel implements AutoCloseable {
  private final int concurrentNum;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private Loaded loaded;
  private boolean closed;

  /**
   * A model that computes up to {@code concurrentNum} predictions at once; more callers wait.
   *
   * @throws IllegalArgumentException if {@code concurrentNum} is not positive
   */
  public InferenceModel(int concurrentNum) {
    if (concurrentNum < 1) {
      throw new IllegalArgumentException(
          "inference model: expected concurrentNum of at least 1, got " + concurrentNum);
    }
    this.concurrentNum = concurrentNum;
  }

  /**
   * Loads a model file and replaces the one loaded before.
   *
   * @throws IOException if the file is not there or not a whole model file; the model loaded before
   *     stays
   * @throws IllegalStateException after {@link #close}
   */
  public void load(String path) throws IOException {
    Loaded fresh = Loaded.open(path, concurrentNum);
    lock.writeLock().lock();
    try {
      if (closed) {
        fresh.close();
        throw closedState();
      }
      if (loaded != null) {
        loaded.close();
      }
      loaded = fresh;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * The output for the samples in {@code data}; for networks with one input.
   *
   * @param shape number of samples, then the shape of one: {@code [n, 1, 28, 28]}
   * @return the outputs, sample by sample
   * @throws IllegalArgumentException if the shape does not fit the model or the data
   * @throws IllegalStateException before {@link #load} and after {@link #close}
   */
  public float[] predict(float[] data, int[] shape) {
    return predict(List.of(new JTensor(data, shape))).get(0).getData();
  }

  /**
   * The output for one batch.
   *
   * @param inputs one tensor per input of the network, in its order, with the same number of
   *     samples
   * @return one tensor per output, the number of samples first
   * @throws IllegalArgumentException if a shape does not fit the model
   * @throws IllegalStateException before {@link #load} and after {@link #close}
   */
  public List<JTensor> predict(List<JTensor> inputs) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw closedState();
      }
      if (loaded == null) {
        throw new IllegalStateException(
            "inference model: expected a loaded model, got none. Call load(path) first.");
      }
      return List.of(loaded.predict(inputs));
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Waits for running predictions and releases the weights; the second call does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      if (loaded != null) {
        loaded.close();
        loaded = null;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private static IllegalStateException closedState() {
    return new IllegalStateException(
        "inference model: expected an open model, got a closed one. Create a new one.");
  }

  /** What {@link #load} brings: everything that changes when another file is loaded. */
  private record Loaded(
      int[][] inputShapes, int[] outputShape, NativePredictor predictor, ScratchPool scratch) {

    static Loaded open(String path, int concurrentNum) throws IOException {
      try (NativeModel model = NativeModel.open(path);
          NativeBuffer weights = new NativeBuffer(model.parameterCount() * Float.BYTES)) {
        model.storedWeights(weights);
        return new Loaded(
            model.inputShapes(),
            model.outputShape(),
            new NativePredictor(model, weights, concurrentNum),
            new ScratchPool(concurrentNum, model.inputShapes().length));
      }
    }

    JTensor predict(List<JTensor> inputs) {
      int rows = rows(inputs);
      int[] shape = withRows(rows, outputShape);
      float[] output = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
      scratch.run(inputs, output, (sources, target) -> predictor.predict(sources, rows, target));
      return new JTensor(output, shape);
    }

    private int rows(List<JTensor> inputs) {
      if (inputs.size() != inputShapes.length) {
        throw new IllegalArgumentException(
            "inference model: expected %d inputs, got %d. Give one tensor per input of the network."
                .formatted(inputShapes.length, inputs.size()));
      }
      int[] first = inputs.get(0).getShape();
      int rows = first.length == 0 ? 0 : first[0];
      for (int i = 0; i < inputShapes.length; i++) {
        int[] expected = withRows(rows, inputShapes[i]);
        if (!Arrays.equals(inputs.get(i).getShape(), expected)) {
          throw new IllegalArgumentException(
              ("inference model: input %d: expected shape %s, got %s. The first size is the number"
                      + " of samples, the same for all inputs.")
                  .formatted(
                      i, Arrays.toString(expected), Arrays.toString(inputs.get(i).getShape())));
        }
      }
      return rows;
    }

    private static int[] withRows(int rows, int[] shape) {
      int[] batch = new int[shape.length + 1];
      batch[0] = rows;
      System.arraycopy(shape, 0, batch, 1, shape.length);
      return batch;
    }

    void close() {
      predictor.close();
      scratch.close();
    }
  }
}
