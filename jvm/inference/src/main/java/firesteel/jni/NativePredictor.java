package firesteel.jni;

import java.nio.ByteBuffer;

/**
 * Forward passes for serving: one copy of the weights, shared by all threads.
 *
 * <p>At most {@code concurrentNum} calls compute at once; more wait for their turn.
 */
public final class NativePredictor extends NativeHandle {
  /** A predictor for one call at a time. */
  public NativePredictor(NativeModel model, NativeBuffer weights) {
    this(model, weights, 1);
  }

  /**
   * A predictor for {@code concurrentNum} calls at once.
   *
   * @throws IllegalArgumentException if {@code concurrentNum} is not positive or {@code weights}
   *     has another length than the model
   */
  public NativePredictor(NativeModel model, NativeBuffer weights, int concurrentNum) {
    super(create0(model.handle(), weights.handle(), concurrentNum));
  }

  /**
   * Computes {@code output} of {@code rows} samples.
   *
   * @param inputs one direct buffer per input of the model, floats in native order from index 0
   * @param output direct buffer for {@code rows} samples of the output, written from index 0
   * @throws IllegalArgumentException if a buffer is not direct, too small, or shared by two
   *     arguments
   */
  public void predict(ByteBuffer[] inputs, int rows, ByteBuffer output) {
    for (ByteBuffer input : inputs) {
      checkDirect("input", input);
    }
    checkDirect("output", output);
    predict0(handle(), inputs, rows, output);
  }

  private static void checkDirect(String who, ByteBuffer buffer) {
    if (!buffer.isDirect() || (buffer.isReadOnly() && who.equals("output"))) {
      throw new IllegalArgumentException(
          ("NativePredictor: %s: expected a direct, writable buffer, got %s. Use"
                  + " NativeBuffer.slice or ByteBuffer.allocateDirect.")
              .formatted(who, buffer));
    }
  }

  private static native long create0(long model, long weights, int concurrentNum);

  private static native void predict0(
      long handle, ByteBuffer[] inputs, int rows, ByteBuffer output);
}
