package firesteel.inference;

import java.util.Arrays;

/**
 * Numbers with a shape, the first dimension of which is the batch; row-major. Holds the given
 * array, no copy.
 */
public final class JTensor {
  private final float[] data;
  private final int[] shape;

  /**
   * A tensor over {@code data}.
   *
   * @throws IllegalArgumentException if {@code data} is not as long as the product of {@code
   *     shape}, or a size is negative
   */
  public JTensor(float[] data, int[] shape) {
    if (elements(shape) != data.length) {
      throw new IllegalArgumentException(
          "tensor: expected as many numbers as shape %s has, got %d. Correct the shape or the data."
              .formatted(Arrays.toString(shape), data.length));
    }
    this.data = data;
    this.shape = shape.clone();
  }

  /** The numbers in row-major order: the array itself. */
  public float[] getData() {
    return data;
  }

  /** A copy of the shape. */
  public int[] getShape() {
    return shape.clone();
  }

  @Override
  public String toString() {
    return "JTensor" + Arrays.toString(shape);
  }

  /** Product of the sizes; -1 if a size is negative or the product is too large for an array. */
  private static long elements(int[] shape) {
    long product = 1;
    for (int size : shape) {
      product *= size;
      if (size < 0 || product > Integer.MAX_VALUE) {
        return -1;
      }
    }
    return product;
  }
}
