package firesteel.jni;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The definition of a network, and the weights stored with it if it came from a model file. */
public final class NativeModel extends NativeHandle {
  private NativeModel(long handle) {
    super(handle);
  }

  /**
   * The network that {@code json} defines: layers with Keras's names, arguments and defaults.
   *
   * @throws IllegalArgumentException if the definition is not valid; names the layer
   */
  public static NativeModel define(String json) {
    NativeLibrary.load();
    return new NativeModel(define0(json));
  }

  /**
   * The network and the weights in the bytes of a model file.
   *
   * @throws UncheckedIOException if the bytes are not a whole model file
   */
  public static NativeModel read(byte[] file) {
    NativeLibrary.load();
    try {
      return new NativeModel(read0(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /**
   * The network and the weights in the model file at {@code path}.
   *
   * @throws IOException if the file is not there or not a whole model file
   */
  public static NativeModel open(String path) throws IOException {
    NativeLibrary.load();
    return new NativeModel(open0(path));
  }

  /** The definition as JSON. */
  public String definition() {
    return definition0(handle());
  }

  /** Length of the flat vector that holds all weights and statistics. */
  public long parameterCount() {
    return parameterCount0(handle());
  }

  /** Shape of one sample of each input, without the batch. */
  public int[][] inputShapes() {
    return decode(inputShapes0(handle()));
  }

  /** Shape of one sample of the output, without the batch. */
  public int[] outputShape() {
    return decode(outputShape0(handle()))[0];
  }

  /** The named ranges of the flat vector as JSON: name, shape, offset, kind. */
  public String parameterTable() {
    return parameterTable0(handle());
  }

  /**
   * Writes the initial weights of {@code seed}: the same bits on every machine.
   *
   * @throws IllegalArgumentException if {@code into} is smaller than {@link #parameterCount} floats
   */
  public void initialWeights(long seed, NativeBuffer into) {
    initialWeights0(handle(), seed, into.handle());
  }

  /**
   * Writes the weights of the file this model was read from.
   *
   * @throws IllegalStateException if the model was only defined
   * @throws IllegalArgumentException if {@code into} is smaller than {@link #parameterCount} floats
   */
  public void storedWeights(NativeBuffer into) {
    storedWeights0(handle(), into.handle());
  }

  /** The bytes of a model file with this definition and these weights. */
  public byte[] write(NativeBuffer weights) {
    return write0(handle(), weights.handle());
  }

  /**
   * The bytes of a model file that come before its weights: these and then the flat vector, little
   * endian, are the file, so that it can be written piece by piece.
   */
  public byte[] fileHeader() {
    return fileHeader0(handle());
  }

  /**
   * Where the weights lie in a model file, so that it can be read piece by piece: for each
   * parameter in the order of {@link #parameterTable} its begin and end, in bytes from the end of
   * the header.
   *
   * @param header the first bytes of the file: 8 with the length of the rest, little endian, and
   *     the rest
   * @param bytes length of the file
   * @throws IOException if the file does not hold weights of this very definition
   */
  public long[] locate(byte[] header, long bytes) throws IOException {
    return locate0(handle(), header, bytes);
  }

  /**
   * Writes a model file with this definition and these weights: whole or not at all.
   *
   * @throws IOException if the file cannot be written
   */
  public void save(String path, NativeBuffer weights) throws IOException {
    save0(handle(), path, weights.handle());
  }

  /** Shapes that stand one after the other, each as its rank and its sizes. */
  private static int[][] decode(long[] flat) {
    List<int[]> shapes = new ArrayList<>();
    for (int at = 0; at < flat.length; at += 1 + (int) flat[at]) {
      int[] shape = new int[(int) flat[at]];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = Math.toIntExact(flat[at + 1 + i]);
      }
      shapes.add(shape);
    }
    return shapes.toArray(int[][]::new);
  }

  private static native long define0(String json);

  private static native long read0(byte[] file) throws IOException;

  private static native long open0(String path) throws IOException;

  private static native String definition0(long handle);

  private static native long parameterCount0(long handle);

  private static native long[] inputShapes0(long handle);

  private static native long[] outputShape0(long handle);

  private static native String parameterTable0(long handle);

  private static native void initialWeights0(long handle, long seed, long into);

  private static native void storedWeights0(long handle, long into);

  private static native byte[] write0(long handle, long weights);

  private static native byte[] fileHeader0(long handle);

  private static native long[] locate0(long handle, byte[] header, long bytes) throws IOException;

  private static native void save0(long handle, String path, long weights) throws IOException;
}
