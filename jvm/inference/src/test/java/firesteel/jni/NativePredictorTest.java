package firesteel.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NativePredictorTest {
  private final NativeModel model = NativeModel.define(Definitions.TWO_INPUTS);
  private final NativeBuffer weights = new NativeBuffer(model.parameterCount() * Float.BYTES);

  @AfterEach
  void close() {
    weights.close();
    model.close();
  }

  private static ByteBuffer direct(float... values) {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
    buffer.asFloatBuffer().put(values);
    return buffer;
  }

  private NativePredictor predictor() {
    // 10 a0 + 100 a1 + 1000 b + 1
    weights.slice(0, 16).putFloat(0, 10).putFloat(4, 100).putFloat(8, 1000).putFloat(12, 1);
    return new NativePredictor(model, weights);
  }

  @Test
  void inputsAreTakenInTheirOrder() {
    try (NativePredictor predictor = predictor()) {
      weights.slice(0, 16).putFloat(0, -1);
      ByteBuffer output = direct(0, 0, 7);
      predictor.predict(new ByteBuffer[] {direct(1, 2, 3, 4), direct(5, 6)}, 2, output);
      float[] got = new float[3];
      output.asFloatBuffer().get(got);
      assertArrayEquals(new float[] {5211, 6431, 7}, got);
    }
  }

  @Test
  void noRowsAreFine() {
    try (NativePredictor predictor = predictor()) {
      predictor.predict(new ByteBuffer[] {direct(), direct()}, 0, direct());
    }
  }

  @Test
  void badBuffersAreNamed() {
    try (NativePredictor predictor = predictor()) {
      ByteBuffer a = direct(1, 2);
      ByteBuffer b = direct(3);
      ByteBuffer out = direct(0);
      ByteBuffer heap = ByteBuffer.allocate(8);
      ByteBuffer odd = ByteBuffer.allocateDirect(16).position(1).slice();
      ByteBuffer[] both = {a, b};
      Class<IllegalArgumentException> argument = IllegalArgumentException.class;
      assertThrows(argument, () -> predictor.predict(new ByteBuffer[] {a}, 1, out));
      assertThrows(argument, () -> predictor.predict(new ByteBuffer[] {heap, b}, 1, out));
      assertThrows(argument, () -> predictor.predict(new ByteBuffer[] {odd, b}, 1, out));
      assertThrows(argument, () -> predictor.predict(both, 1, heap));
      assertThrows(argument, () -> predictor.predict(both, 1, out.asReadOnlyBuffer()));
      assertThrows(argument, () -> predictor.predict(both, 2, out));
      assertThrows(argument, () -> predictor.predict(both, -1, out));
      assertThrows(argument, () -> predictor.predict(both, Integer.MAX_VALUE, out));
      assertThrows(argument, () -> predictor.predict(both, 1, a));
      assertThrows(argument, () -> new NativePredictor(model, weights, 0));
      try (NativeBuffer other = new NativeBuffer(weights.bytes() + 4)) {
        assertThrows(argument, () -> new NativePredictor(model, other));
      }
    }
  }

  @Test
  void aClosedPredictorIsRefused() {
    NativePredictor predictor = predictor();
    predictor.close();
    assertThrows(
        IllegalStateException.class,
        () -> predictor.predict(new ByteBuffer[] {direct(1, 2), direct(3)}, 1, direct(0)));
  }

  @Test
  void memoryReturnsAfterAThousandCyclesOfTrainingAndPredicting() {
    NativePredictor warm = predictor();
    warm.close();
    long before = NativeBuffer.allocated();
    ByteBuffer output = direct(0);
    ByteBuffer[] inputs = {direct(1, 2), direct(3)};
    for (int cycle = 0; cycle < 1000; cycle++) {
      try (NativeModel own = NativeModel.define(Definitions.TWO_INPUTS);
          NativeBuffer start = Definitions.weights(own, cycle);
          NativeDataset rows = new NativeDataset(own, Definitions.SQUARED_ERROR);
          NativeWorker worker = new NativeWorker(own, Definitions.SQUARED_ERROR, 1, cycle);
          NativePredictor predictor = new NativePredictor(own, start)) {
        rows.append(Definitions.bytes(1, 2, 3, 4), 16);
        rows.seal();
        worker.setShard(0, rows);
        worker.forwardBackward(start, 1, 0, 0, 0, 1, 1);
        worker.gradient(0).close();
        predictor.predict(inputs, 1, output);
      }
    }
    assertEquals(before, NativeBuffer.allocated());
  }
}
