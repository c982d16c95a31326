package firesteel.jni;

import static firesteel.jni.Definitions.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NativeOptimizerTest {
  private static final String ADAM = "{\"class\": \"Adam\", \"config\": {}}";

  private final NativeModel model = NativeModel.define(Definitions.IMAGES);
  private final int count = (int) model.parameterCount();
  private final NativeBuffer old = Definitions.weights(model, 1);
  private final NativeBuffer gradient = Definitions.weights(model, 2);

  @AfterEach
  void close() {
    gradient.close();
    old.close();
    model.close();
  }

  private double[] sums(NativeOptimizer rule, int n, int of, NativeBuffer state) {
    NativeBuffer[] gradients = {gradient};
    long[] begin = {rule.parameterSlice(n, of)[0]};
    return rule.partialSums(n, of, 1, 0, new int[] {0, 0}, gradients, begin, old, state);
  }

  private void update(NativeOptimizer rule, int n, int of, NativeBuffer state, NativeBuffer into) {
    update(rule, n, of, new double[0], state, into);
  }

  private void update(
      NativeOptimizer rule, int n, int of, double[] sums, NativeBuffer state, NativeBuffer into) {
    long begin = rule.parameterSlice(n, of)[0];
    try (NativeBuffer next = new NativeBuffer(state.bytes())) {
      rule.update(
          n,
          of,
          1,
          0,
          1.0,
          sums,
          new int[] {0, 0},
          new NativeBuffer[] {gradient},
          new long[] {begin},
          old,
          state,
          into,
          next);
    }
  }

  @Test
  void slicesAndThreadsDoNotChangeTheResult() {
    String expected = null;
    for (int threads : new int[] {1, 3}) {
      for (int of : new int[] {1, 2, 7}) {
        try (NativeOptimizer adam = new NativeOptimizer(model, ADAM, threads);
            NativeBuffer into = new NativeBuffer(old.bytes())) {
          assertEquals(2, adam.slots());
          for (int n = 0; n < of; n++) {
            long[] slice = adam.parameterSlice(n, of);
            assertArrayEquals(NativeOptimizer.slice(n, of, count), slice);
            try (NativeBuffer state = new NativeBuffer(2 * 4 * (slice[1] - slice[0]))) {
              update(adam, n, of, state, into);
            }
          }
          String hash = into.sha256(count);
          expected = expected == null ? hash : expected;
          assertEquals(expected, hash, of + " slices, " + threads + " threads");
        }
      }
    }
  }

  @Test
  void sumsOfSlicesGiveTheSameUpdateHoweverManySlicesThereAre() {
    String json = "{\"class\": \"SGD\", \"config\": {\"clip_norm\": 0.1}}";
    String expected = null;
    for (int of : new int[] {1, 2, 7}) {
      try (NativeOptimizer sgd = new NativeOptimizer(model, json, of);
          NativeBuffer state = new NativeBuffer(0);
          NativeBuffer into = new NativeBuffer(old.bytes())) {
        assertTrue(sgd.needsSums());
        double[] sums = {};
        for (int n = 0; n < of; n++) {
          double[] part = sums(sgd, n, of, state);
          sums = DoubleStream.concat(Arrays.stream(sums), Arrays.stream(part)).toArray();
        }
        for (int n = 0; n < of; n++) {
          update(sgd, n, of, sums, state, into);
        }
        String hash = into.sha256(count);
        expected = expected == null ? hash : expected;
        assertEquals(expected, hash, of + " slices");
        double squares = 0;
        float[] before = floats(old);
        float[] after = floats(into);
        for (int i = 0; i < count; i++) {
          squares += Math.pow(after[i] - before[i], 2);
        }
        // The rate times the bound of the norm; weights are rounded to 6e-8 of themselves.
        assertEquals(0.01 * 0.1, Math.sqrt(squares), 1e-6);
        assertThrows(IllegalArgumentException.class, () -> update(sgd, 0, 1, state, into));
      }
    }
    try (NativeOptimizer adam = new NativeOptimizer(model, ADAM);
        NativeBuffer state = new NativeBuffer(2 * old.bytes())) {
      assertFalse(adam.needsSums());
      assertEquals(-1, adam.averageSlot());
      assertEquals(0, sums(adam, 0, 1, state).length);
    }
  }

  @Test
  void oneStepOfSgdIsTheFormula() {
    String json = "{\"class\": \"SGD\", \"config\": {\"learning_rate\": 0.5}}";
    try (NativeOptimizer sgd = new NativeOptimizer(model, json);
        NativeBuffer state = new NativeBuffer(0);
        NativeBuffer into = new NativeBuffer(old.bytes())) {
      update(sgd, 0, 1, state, into);
      float[] expected = floats(old);
      float[] step = floats(gradient);
      for (int i = 0; i < count; i++) {
        expected[i] -= 0.5f * step[i];
      }
      assertArrayEquals(expected, floats(into), 1e-6f);
      assertEquals(0.5, sgd.learningRate(10));
    }
  }

  @Test
  void theAverageIsTheLastStateVector() {
    String json = "{\"class\": \"Adam\", \"config\": {\"ema_decay\": 0.999}}";
    try (NativeOptimizer adam = new NativeOptimizer(model, json)) {
      assertEquals(3, adam.slots());
      assertEquals(2, adam.averageSlot());
    }
  }

  @Test
  void theDefinitionHasAllSettings() {
    try (NativeOptimizer adam = new NativeOptimizer(model, ADAM);
        NativeOptimizer same = new NativeOptimizer(model, adam.definition())) {
      assertTrue(adam.definition().contains("\"beta_1\":0.9"), adam.definition());
      assertEquals(adam.definition(), same.definition());
    }
  }

  @Test
  void aPlateauIsAFactorOfTheLearningRate() {
    String json =
        """
        {"class": "SGD", "config": {"schedule":
         {"class": "Plateau", "config": {"patience": 2, "factor": 0.25}}}}
        """;
    try (NativeOptimizer sgd = new NativeOptimizer(model, json)) {
      assertEquals(0.01, sgd.learningRate(1000));
      assertEquals(1, sgd.rateFactor(new double[] {3, 2, 2}));
      assertEquals(0.25, sgd.rateFactor(new double[] {3, 2, 2, 2}));
    }
  }

  @Test
  void layersThatTheModelDoesNotHaveAreRefused() {
    String json =
        """
        {"class": "PerLayer", "config": {"default": {"class": "SGD"},
         "layers": [{"prefix": "%s", "frozen": true}]}}
        """;
    new NativeOptimizer(model, json.formatted("conv")).close();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new NativeOptimizer(model, json.formatted("con")))
            .getMessage();
    assertTrue(message.contains("\"con\", and the parameters are conv."), message);
  }

  @Test
  void slicesCoverTheVector() {
    assertArrayEquals(new long[] {0, 3}, NativeOptimizer.slice(0, 3, 10));
    assertArrayEquals(new long[] {6, 10}, NativeOptimizer.slice(2, 3, 10));
    assertThrows(IllegalArgumentException.class, () -> NativeOptimizer.slice(3, 3, 10));
    assertThrows(IllegalArgumentException.class, () -> NativeOptimizer.slice(0, 0, 10));
    assertThrows(IllegalArgumentException.class, () -> NativeOptimizer.slice(0, 1, -1));
  }

  @Test
  void rootsAreTheMaximalAlignedSubtrees() {
    assertArrayEquals(new int[] {1, 0, 2, 1}, NativeOptimizer.roots(1, 4, 8));
    assertArrayEquals(new int[] {0, 3}, NativeOptimizer.roots(0, 5, 5));
    assertArrayEquals(new int[0], NativeOptimizer.roots(3, 3, 5));
    assertThrows(IllegalArgumentException.class, () -> NativeOptimizer.roots(-1, 3, 5));
    assertThrows(IllegalArgumentException.class, () -> NativeOptimizer.roots(0, 3, 0));
  }

  @Test
  void writingTheWeightsThatAreReadIsRefused() {
    try (NativeOptimizer sgd = new NativeOptimizer(model, "{\"class\": \"SGD\", \"config\": {}}");
        NativeBuffer state = new NativeBuffer(0)) {
      assertThrows(IllegalStateException.class, () -> update(sgd, 0, 1, state, old));
    }
  }

  @Test
  void badArgumentsAreNamed() {
    try (NativeOptimizer adam = new NativeOptimizer(model, ADAM);
        NativeBuffer small = new NativeBuffer(4);
        NativeBuffer into = new NativeBuffer(old.bytes());
        NativeBuffer state = new NativeBuffer(2 * old.bytes());
        NativeBuffer next = new NativeBuffer(2 * old.bytes())) {
      assertThrows(IllegalArgumentException.class, () -> update(adam, 0, 1, small, into));
      assertThrows(IllegalArgumentException.class, () -> update(adam, 0, 1, state, small));
      NativeBuffer[] gradients = {gradient};
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      adam.update(
                          0,
                          1,
                          2,
                          0,
                          1.0,
                          new double[0],
                          new int[] {0, 0},
                          gradients,
                          new long[1],
                          old,
                          state,
                          into,
                          next))
              .getMessage();
      assertTrue(message.contains("shard 1 of 2 is missing"), message);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              adam.update(
                  0,
                  1,
                  1,
                  0,
                  1.0,
                  new double[0],
                  new int[] {0},
                  gradients,
                  new long[1],
                  old,
                  state,
                  into,
                  next));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              adam.update(
                  0,
                  1,
                  1,
                  0,
                  1.0,
                  new double[0],
                  new int[] {0, 0},
                  gradients,
                  new long[0],
                  old,
                  state,
                  into,
                  next));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              adam.update(
                  0,
                  1,
                  1,
                  0,
                  1.0,
                  new double[1],
                  new int[] {0, 0},
                  gradients,
                  new long[1],
                  old,
                  state,
                  into,
                  next));
    }
    for (String json : new String[] {"", "{\"class\": \"SGDX\"}", ADAM.replace("{}", "7")}) {
      assertThrows(IllegalArgumentException.class, () -> new NativeOptimizer(model, json), json);
    }
    String negative = "{\"class\": \"SGD\", \"config\": {\"learning_rate\": -1}}";
    String message =
        assertThrows(IllegalArgumentException.class, () -> new NativeOptimizer(model, negative))
            .getMessage();
    assertTrue(message.contains("learning_rate is -1"), message);
  }

  @Test
  void gradientsTravelInHalfTheBytes() {
    String bf16 = "{\"gradient_compression\": \"bf16\"}";
    try (NativeOptimizer plain = new NativeOptimizer(model, ADAM);
        NativeOptimizer rule = new NativeOptimizer(model, ADAM, 1, bf16, 7);
        NativeBuffer packed = new NativeBuffer(rule.gradientBytes(0, count));
        NativeBuffer part = new NativeBuffer(rule.gradientBytes(3, 10));
        NativeBuffer back = new NativeBuffer(4 * 7)) {
      assertEquals(4L * count, plain.gradientBytes(0, count));
      assertEquals(2L * count, rule.gradientBytes(0, count));
      rule.pack(gradient, packed);
      part.copyFrom(0, packed, rule.gradientBytes(0, 3), part.bytes());
      rule.unpack(3, 10, part, back);
      float[] whole = floats(gradient);
      float[] got = floats(back);
      for (int i = 0; i < got.length; i++) {
        int upper = Float.floatToIntBits(whole[3 + i]) & 0xFFFF0000;
        assertEquals(Float.intBitsToFloat(upper), got[i]);
      }
      assertThrows(IllegalArgumentException.class, () -> plain.pack(gradient, packed));
      assertThrows(IllegalArgumentException.class, () -> rule.unpack(3, 11, part, back));
      assertThrows(IllegalArgumentException.class, () -> rule.gradientBytes(0, count + 1));
    }
    for (String strategy : new String[] {"", "{\"gradient_compression\": \"fp4\"}"}) {
      assertThrows(
          IllegalArgumentException.class, () -> new NativeOptimizer(model, ADAM, 1, strategy, 7));
    }
  }

  @Test
  void whatLocalStepsBringIsAveraged() {
    String adam = "{\"class\": \"Adam\", \"config\": {\"learning_rate\": 0.5, \"clip_norm\": 1}}";
    try (NativeOptimizer rule = new NativeOptimizer(model, adam, 1, "{\"local_steps\": 8}", 7);
        NativeBuffer state = new NativeBuffer(0);
        NativeBuffer into = new NativeBuffer(4L * count)) {
      assertEquals(0, rule.slots());
      assertFalse(rule.needsSums());
      assertEquals(0.5, rule.learningRate(0));
      update(rule, 0, 1, state, into);
      float[] from = floats(old);
      float[] back = floats(gradient);
      float[] got = floats(into);
      for (int i = 0; i < count; i++) {
        assertEquals(from[i] - back[i], got[i]);
      }
    }
  }
}
