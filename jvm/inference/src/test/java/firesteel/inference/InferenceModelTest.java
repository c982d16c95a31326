package firesteel.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import firesteel.jni.Definitions;
import firesteel.jni.NativeBuffer;
import firesteel.jni.NativeModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InferenceModelTest {
  private static final int[] ONE = {1, 1, 8, 8};

  @TempDir Path temp;
  private String path;

  @BeforeEach
  void save() throws IOException {
    path = save(Definitions.IMAGES, 1);
  }

  private String save(String definition, long seed) throws IOException {
    Path file = temp.resolve("model-" + seed + ".safetensors");
    try (NativeModel model = NativeModel.define(definition);
        NativeBuffer weights = Definitions.weights(model, seed)) {
      model.save(file.toString(), weights);
    }
    return file.toString();
  }

  private static float[] image(int number) {
    Random random = new Random(number);
    float[] pixels = new float[64];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = random.nextFloat();
    }
    return pixels;
  }

  @Test
  void manyThreadsGetTheAnswersOfOne() throws Exception {
    try (InferenceModel model = new InferenceModel(2)) {
      model.load(path);
      List<float[]> expected = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        expected.add(model.predict(image(i), ONE));
      }
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Future<?>> done = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
          done.add(
              threads.submit(
                  () -> {
                    for (int i = 0; i < 160; i++) {
                      assertArrayEquals(expected.get(i % 16), model.predict(image(i % 16), ONE));
                    }
                  }));
        }
        for (Future<?> future : done) {
          future.get();
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  @Test
  void aBatchGivesTheAnswersOfItsSamples() throws IOException {
    int rows = 45;
    float[] batch = new float[rows * 64];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(image(row), 0, batch, row * 64, 64);
    }
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(path);
      JTensor output = model.predict(List.of(new JTensor(batch, new int[] {rows, 1, 8, 8}))).get(0);
      assertArrayEquals(new int[] {rows, 10}, output.getShape());
      for (int row = 0; row < rows; row++) {
        float[] own = Arrays.copyOfRange(output.getData(), row * 10, row * 10 + 10);
        assertArrayEquals(model.predict(image(row), ONE), own, 1e-5f);
      }
      assertEquals(0, model.predict(new float[0], new int[] {0, 1, 8, 8}).length);
    }
  }

  @Test
  void severalInputsArePassedAsTensors() throws IOException {
    String joined = save(Definitions.TWO_INPUTS, 3);
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(joined);
      JTensor a = new JTensor(new float[] {1, 2}, new int[] {1, 2});
      JTensor b = new JTensor(new float[] {3}, new int[] {1, 1});
      assertArrayEquals(new int[] {1, 1}, model.predict(List.of(a, b)).get(0).getShape());
      assertThrows(IllegalArgumentException.class, () -> model.predict(List.of(a)));
      JTensor two = new JTensor(new float[] {3, 4}, new int[] {2, 1});
      assertThrows(IllegalArgumentException.class, () -> model.predict(List.of(a, two)));
    }
  }

  @Test
  void aWrongShapeIsNamed() throws IOException {
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(path);
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> model.predict(image(0), new int[] {1, 64}))
              .getMessage();
      assertTrue(message.contains("expected shape [1, 1, 8, 8], got [1, 64]"), message);
      message =
          assertThrows(IllegalArgumentException.class, () -> model.predict(new float[63], ONE))
              .getMessage();
      assertTrue(message.contains("shape [1, 1, 8, 8] has, got 63"), message);
      for (int[] shape : new int[][] {{}, {-1, 1, 8, 8}, {1 << 30, 1 << 30}}) {
        assertThrows(IllegalArgumentException.class, () -> model.predict(image(0), shape));
      }
    }
  }

  @Test
  void aFileThatIsMissingOrCutShortIsAnIoErrorAndTheOldModelStays() throws IOException {
    Path half = temp.resolve("half");
    byte[] whole = Files.readAllBytes(Path.of(path));
    Files.write(half, Arrays.copyOf(whole, whole.length - 1));
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(path);
      float[] expected = model.predict(image(0), ONE);
      for (Path bad : List.of(half, temp.resolve("missing"))) {
        String message =
            assertThrows(IOException.class, () -> model.load(bad.toString())).getMessage();
        assertTrue(message.contains(bad.toString()), message);
      }
      assertArrayEquals(expected, model.predict(image(0), ONE));
    }
  }

  @Test
  void useBeforeLoadAndAfterCloseAreWrongStates() throws IOException {
    InferenceModel model = new InferenceModel(1);
    assertThrows(IllegalStateException.class, () -> model.predict(image(0), ONE));
    model.load(path);
    model.close();
    model.close();
    assertThrows(IllegalStateException.class, () -> model.predict(image(0), ONE));
    assertThrows(IllegalStateException.class, () -> model.load(path));
    assertThrows(IllegalArgumentException.class, () -> new InferenceModel(0));
  }

  @Test
  void closingAndReloadingWhileOthersPredictIsSafe() throws Exception {
    String other = save(Definitions.IMAGES, 2);
    for (int round = 0; round < 20; round++) {
      InferenceModel model = new InferenceModel(2);
      model.load(path);
      ExecutorService threads = Executors.newFixedThreadPool(3);
      List<Future<?>> done = new ArrayList<>();
      for (int thread = 0; thread < 3; thread++) {
        done.add(
            threads.submit(
                () -> {
                  try {
                    while (true) {
                      assertEquals(10, model.predict(image(0), ONE).length);
                    }
                  } catch (IllegalStateException closed) {
                    assertTrue(closed.getMessage().contains("a closed one"));
                  }
                }));
      }
      model.load(other);
      model.close();
      for (Future<?> future : done) {
        future.get();
      }
      threads.shutdown();
    }
  }

  @Test
  void memoryReturnsAfterAThousandCycles() throws IOException {
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(path);
    }
    long before = NativeBuffer.allocated();
    for (int cycle = 0; cycle < 1000; cycle++) {
      try (InferenceModel model = new InferenceModel(2)) {
        model.load(path);
        model.predict(image(cycle), ONE);
      }
    }
    assertEquals(before, NativeBuffer.allocated());
  }
}
