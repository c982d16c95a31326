package firesteel.jni;

import static firesteel.jni.Definitions.CROSS_ENTROPY;
import static firesteel.jni.Definitions.SQUARED_ERROR;
import static firesteel.jni.Definitions.bytes;
import static firesteel.jni.Definitions.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NativeWorkerTest {
  private static final String TINY =
      """
      {"format": 1, "name": "tiny", "inputs": [{"name": "x", "shape": [1]}],
       "layers": [{"class": "Dense", "name": "fc", "config": {"units": 1}, "inputs": ["x"]}],
       "outputs": ["fc"]}
      """;

  private NativeModel model;
  private NativeBuffer weights;
  private NativeWorker worker;

  @BeforeEach
  void open() {
    model = NativeModel.define(TINY);
    weights = new NativeBuffer(8);
    // y = 2 x + 1
    weights.slice(0, 8).putFloat(0, 2).putFloat(4, 1);
    worker = new NativeWorker(model, SQUARED_ERROR, 2, 1);
  }

  @AfterEach
  void close() {
    worker.close();
    weights.close();
    model.close();
  }

  private NativeDataset rows(float... records) {
    NativeDataset rows = new NativeDataset(model, SQUARED_ERROR);
    rows.append(bytes(records), records.length * Float.BYTES);
    rows.seal();
    return rows;
  }

  @Test
  void lossAndGradientAreThoseOfTheFormula() {
    try (NativeDataset rows = rows(1, 5, 2, 3)) {
      worker.setShard(0, rows);
      // Errors -2 and 2, so the squares sum to 8; gradients are 2 e x / 2 and 2 e / 2.
      assertArrayEquals(new double[] {8, 2}, worker.forwardBackward(weights, 1, 0, 0, 0, 1, 2));
      assertArrayEquals(new int[] {0, 0}, worker.roots());
      try (NativeBuffer gradient = worker.gradient(0)) {
        assertEquals(8, gradient.bytes());
        assertArrayEquals(new float[] {-2 * 1 + 2 * 2, 0}, floats(gradient));
      }
      assertArrayEquals(
          new double[] {2, 8, 0}, worker.evaluate(weights, new NativeDataset[] {rows}, 32));
    }
  }

  @Test
  void microBatchesAddUpToTheBatch() {
    try (NativeDataset rows = rows(1, 5, 2, 3);
        NativeWorker parts = new NativeWorker(model, SQUARED_ERROR, 1, 1, 1)) {
      parts.setShard(0, rows);
      assertArrayEquals(new double[] {8, 2}, parts.forwardBackward(weights, 1, 0, 0, 0, 1, 2));
      try (NativeBuffer gradient = parts.gradient(0)) {
        assertArrayEquals(new float[] {-2 * 1 + 2 * 2, 0}, floats(gradient));
      }
    }
  }

  @Test
  void shardsOfTwoWorkersAddUpToThoseOfOne() {
    try (NativeDataset a = rows(1, 5, 2, 3);
        NativeDataset b = rows(3, 1);
        NativeWorker left = new NativeWorker(model, SQUARED_ERROR, 1, 1);
        NativeWorker right = new NativeWorker(model, SQUARED_ERROR, 1, 1);
        NativeOptimizer sgd = new NativeOptimizer(model, "{\"class\": \"SGD\", \"config\": {}}");
        NativeBuffer state = new NativeBuffer(0);
        NativeBuffer one = new NativeBuffer(8);
        NativeBuffer two = new NativeBuffer(8)) {
      worker.setShard(0, a);
      worker.setShard(1, b);
      left.setShard(0, a);
      right.setShard(1, b);
      assertEquals(4, worker.forwardBackward(weights, 2, 0, 0, 0, 1, 3).length);
      left.forwardBackward(weights, 2, 0, 0, 0, 1, 3);
      right.forwardBackward(weights, 2, 0, 0, 0, 1, 3);
      assertArrayEquals(new int[] {0, 1}, worker.roots());
      assertArrayEquals(new int[] {1, 0}, right.roots());
      try (NativeBuffer sum = worker.gradient(0);
          NativeBuffer first = left.gradient(0);
          NativeBuffer second = right.gradient(0)) {
        sgd.update(
            0,
            1,
            2,
            0,
            1.0,
            new double[0],
            worker.roots(),
            new NativeBuffer[] {sum},
            new long[1],
            weights,
            state,
            one,
            state);
        for (int n = 0; n < 2; n++) {
          sgd.update(
              n,
              2,
              2,
              0,
              1.0,
              new double[0],
              new int[] {1, 0, 0, 0},
              new NativeBuffer[] {second, first},
              new long[] {n, n},
              weights,
              state,
              two,
              state);
        }
      }
      assertEquals(one.sha256(2), two.sha256(2));
      // Errors -2, 2 and 6; rate 0.01.
      float slope = 2 - 0.01f * 2 * (-2 * 1 + 2 * 2 + 6 * 3) / 3;
      assertEquals(slope, floats(one)[0], 1e-6f);
    }
  }

  @Test
  void aShardThatIsNotSealedIsAWrongState() {
    try (NativeDataset open = new NativeDataset(model, SQUARED_ERROR)) {
      assertThrows(IllegalStateException.class, () -> worker.setShard(0, open));
    }
  }

  @Test
  void aPassWithoutShardsIsAWrongState() {
    assertThrows(
        IllegalStateException.class, () -> worker.forwardBackward(weights, 1, 0, 0, 0, 1, 1));
  }

  @Test
  void badArgumentsAreNamed() {
    try (NativeDataset rows = rows(1, 5);
        NativeBuffer small = new NativeBuffer(4)) {
      worker.setShard(1, rows);
      assertThrows(IllegalArgumentException.class, () -> worker.setShard(-1, rows));
      assertThrows(
          IllegalArgumentException.class, () -> worker.forwardBackward(small, 2, 0, 0, 0, 1, 1));
      assertThrows(
          IllegalArgumentException.class, () -> worker.forwardBackward(weights, 1, 0, 0, 0, 1, 1));
      assertThrows(
          IllegalArgumentException.class, () -> worker.forwardBackward(weights, 2, 0, 0, 1, 1, 1));
      assertThrows(
          IllegalArgumentException.class, () -> worker.forwardBackward(weights, 2, -1, 0, 0, 1, 1));
      String message =
          assertThrows(IllegalArgumentException.class, () -> worker.gradient(0)).getMessage();
      assertTrue(message.contains("an index into the 0 roots"), message);
      assertThrows(
          IllegalArgumentException.class, () -> new NativeWorker(model, SQUARED_ERROR, 0, 1));
      assertThrows(
          IllegalArgumentException.class, () -> new NativeWorker(model, SQUARED_ERROR, 1, 1, -1));
      assertThrows(
          IllegalArgumentException.class, () -> new NativeWorker(model, CROSS_ENTROPY, 1, 1));
    }
  }

  @Test
  void aGradientOutlivesItsWorker() {
    try (NativeDataset rows = rows(1, 5)) {
      worker.setShard(0, rows);
      worker.forwardBackward(weights, 1, 0, 0, 0, 1, 1);
      try (NativeBuffer gradient = worker.gradient(0)) {
        worker.close();
        assertArrayEquals(new float[] {-4, -4}, floats(gradient));
      }
      assertThrows(IllegalStateException.class, worker::roots);
    }
  }

  @Test
  void aShardThatIsRemovedIsHostedNoMore() {
    try (NativeDataset rows = rows(1, 5)) {
      worker.setShard(0, rows);
      assertTrue(worker.removeShard(0));
      assertEquals(false, worker.removeShard(0));
    }
  }
}
