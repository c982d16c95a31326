package firesteel.jni;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Small networks and rows for the tests of this module. */
public final class Definitions {
  /** Three numbers in, two out: one dense layer with 8 weights. */
  public static final String DENSE =
      """
      {"format": 1, "name": "dense", "inputs": [{"name": "x", "shape": [3]}],
       "layers": [{"class": "Dense", "name": "fc", "config": {"units": 2}, "inputs": ["x"]}],
       "outputs": ["fc"]}
      """;

  /** A convolution, a pooling and a dense layer over images of 8 × 8. */
  public static final String IMAGES =
      """
      {"format": 1, "name": "images", "inputs": [{"name": "image", "shape": [1, 8, 8]}],
       "layers": [
         {"class": "Conv2D", "name": "conv",
          "config": {"filters": 4, "kernel_size": [3, 3], "activation": "relu"},
          "inputs": ["image"]},
         {"class": "MaxPooling2D", "name": "pool", "config": {}, "inputs": ["conv"]},
         {"class": "Flatten", "name": "flat", "config": {}, "inputs": ["pool"]},
         {"class": "Dense", "name": "fc", "config": {"units": 10}, "inputs": ["flat"]}],
       "outputs": ["fc"]}
      """;

  /** Two inputs that are joined. */
  public static final String TWO_INPUTS =
      """
      {"format": 1, "name": "joined",
       "inputs": [{"name": "a", "shape": [2]}, {"name": "b", "shape": [1]}],
       "layers": [
         {"class": "Concatenate", "name": "both", "config": {}, "inputs": ["a", "b"]},
         {"class": "Dense", "name": "fc", "config": {"units": 1}, "inputs": ["both"]}],
       "outputs": ["fc"]}
      """;

  public static final String CROSS_ENTROPY = "{\"class\": \"CrossEntropy\"}";
  public static final String SQUARED_ERROR = "{\"class\": \"MeanSquaredError\"}";

  private Definitions() {}

  /** Numbers as the bytes of records. */
  public static byte[] bytes(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  /** Initial weights in a buffer that the caller closes. */
  public static NativeBuffer weights(NativeModel model, long seed) {
    NativeBuffer weights = new NativeBuffer(model.parameterCount() * Float.BYTES);
    model.initialWeights(seed, weights);
    return weights;
  }

  /** The numbers of a buffer. */
  public static float[] floats(NativeBuffer buffer) {
    float[] values = new float[(int) (buffer.bytes() / Float.BYTES)];
    buffer.slice(0, (int) buffer.bytes()).asFloatBuffer().get(values);
    return values;
  }
}
