package firesteel.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class NativeHistogramTest {
  @Test
  void aRangeOfABufferIsCounted() {
    try (NativeBuffer buffer = new NativeBuffer(6 * 4)) {
      buffer.slice(0, 6 * 4).asFloatBuffer().put(new float[] {9, -2, 0.5f, 0.5f, Float.NaN, 9});
      Histogram histogram = NativeHistogram.of(buffer, 1, 4);
      assertEquals(-2, histogram.min());
      assertEquals(0.5, histogram.max());
      assertEquals(3, histogram.num());
      assertEquals(-1, histogram.sum());
      assertEquals(4.5, histogram.sumSquares());
      assertArrayEquals(new double[] {1, 2}, histogram.counts());
      assertTrue(histogram.lows()[0] <= -2 && -2 < histogram.highs()[0]);
      assertTrue(histogram.lows()[1] <= 0.5 && 0.5 < histogram.highs()[1]);
    }
  }

  @Test
  void aRangeOutsideIsRefused() {
    try (NativeBuffer buffer = new NativeBuffer(16)) {
      assertThrows(IllegalArgumentException.class, () -> NativeHistogram.of(buffer, 2, 3));
      assertThrows(IllegalArgumentException.class, () -> NativeHistogram.of(buffer, -1, 1));
    }
  }
}
