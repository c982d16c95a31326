package firesteel.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeModelTest {
  @TempDir Path temp;

  @Test
  void aDefinitionKnowsItsShapesAndWeights() {
    try (NativeModel model = NativeModel.define(Definitions.IMAGES)) {
      assertArrayEquals(new int[][] {{1, 8, 8}}, model.inputShapes());
      assertArrayEquals(new int[] {10}, model.outputShape());
      assertEquals(4 * 9 + 4 + 10 * 36 + 10, model.parameterCount());
      assertTrue(model.parameterTable().startsWith("[{\"name\":\"conv.weight\""));
      try (NativeModel same = NativeModel.define(model.definition())) {
        assertEquals(model.definition(), same.definition());
      }
    }
    try (NativeModel model = NativeModel.define(Definitions.TWO_INPUTS)) {
      assertArrayEquals(new int[][] {{2}, {1}}, model.inputShapes());
    }
  }

  @Test
  void initialWeightsDependOnTheSeedAlone() {
    try (NativeModel model = NativeModel.define(Definitions.IMAGES);
        NativeBuffer one = Definitions.weights(model, 7);
        NativeBuffer two = Definitions.weights(model, 7);
        NativeBuffer other = Definitions.weights(model, -7)) {
      long count = model.parameterCount();
      assertEquals(one.sha256(count), two.sha256(count));
      assertNotEquals(one.sha256(count), other.sha256(count));
    }
  }

  @Test
  void aModelFileBringsBackDefinitionAndWeights() throws IOException {
    Path path = temp.resolve("model.safetensors");
    try (NativeModel model = NativeModel.define(Definitions.IMAGES);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      model.save(path.toString(), weights);
      byte[] file = Files.readAllBytes(path);
      assertArrayEquals(model.write(weights), file);
      try (NativeModel opened = NativeModel.open(path.toString());
          NativeModel read = NativeModel.read(file);
          NativeBuffer stored = new NativeBuffer(weights.bytes())) {
        for (NativeModel again : new NativeModel[] {opened, read}) {
          assertEquals(model.definition(), again.definition());
          again.storedWeights(stored);
          assertEquals(
              weights.sha256(model.parameterCount()), stored.sha256(model.parameterCount()));
        }
      }
    }
  }

  @Test
  void aModelFileIsItsHeaderAndTheFlatVector() throws IOException {
    try (NativeModel model = NativeModel.define(Definitions.IMAGES);
        NativeModel other = NativeModel.define(Definitions.DENSE);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      byte[] file = model.write(weights);
      byte[] header = model.fileHeader();
      assertArrayEquals(header, Arrays.copyOf(file, header.length));
      byte[] flat = new byte[file.length - header.length];
      weights.slice(0, flat.length).get(flat);
      assertArrayEquals(flat, Arrays.copyOfRange(file, header.length, file.length));
      long[] expected = {0, 144, 144, 160, 160, 1600, 1600, 1640};
      assertArrayEquals(expected, model.locate(header, file.length));
      assertThrows(IOException.class, () -> model.locate(header, file.length - 1));
      assertThrows(IOException.class, () -> model.locate(new byte[7], file.length));
      assertThrows(IllegalArgumentException.class, () -> model.locate(header, -1));
      assertThrows(IllegalArgumentException.class, () -> model.locate(null, file.length));
      String message =
          assertThrows(IOException.class, () -> other.locate(header, file.length)).getMessage();
      assertTrue(message.contains("got another one"), message);
    }
  }

  @Test
  void weightsOfAModelThatWasOnlyDefinedAreAWrongState() {
    try (NativeModel model = NativeModel.define(Definitions.DENSE);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      String message =
          assertThrows(IllegalStateException.class, () -> model.storedWeights(weights))
              .getMessage();
      assertTrue(message.contains("expected a model read from a file"), message);
    }
  }

  @Test
  void aDefinitionThatIsNoneIsAnArgument() {
    for (String json : new String[] {"", "{", "{}", "[]", "null", "\u0000", "\uD83D\uDE00"}) {
      assertThrows(IllegalArgumentException.class, () -> NativeModel.define(json), json);
    }
    String large = Definitions.IMAGES.replace("[3, 3]", "[9, 9]");
    String message =
        assertThrows(IllegalArgumentException.class, () -> NativeModel.define(large)).getMessage();
    assertTrue(message.contains("\"conv\""), message);
    assertThrows(IllegalArgumentException.class, () -> NativeModel.define(null));
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    Path path = temp.resolve("missing.safetensors");
    String message =
        assertThrows(IOException.class, () -> NativeModel.open(path.toString())).getMessage();
    assertTrue(message.contains(path.toString()), message);
    assertThrows(IOException.class, () -> NativeModel.open(temp.toString()));
    try (NativeModel model = NativeModel.define(Definitions.DENSE);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      String into = temp.resolve("missing/model").toString();
      assertThrows(IOException.class, () -> model.save(into, weights));
    }
  }

  @Test
  void everyTruncationOfAModelFileIsAnIoError() throws IOException {
    byte[] file;
    try (NativeModel model = NativeModel.define(Definitions.DENSE);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      file = model.write(weights);
    }
    for (int length = 0; length < file.length; length++) {
      byte[] part = Arrays.copyOf(file, length);
      assertThrows(UncheckedIOException.class, () -> NativeModel.read(part), "length " + length);
    }
    Path path = temp.resolve("half");
    Files.write(path, Arrays.copyOf(file, file.length / 2));
    String message =
        assertThrows(IOException.class, () -> NativeModel.open(path.toString())).getMessage();
    assertTrue(message.contains(path.toString()), message);
  }

  @Test
  void aFileWhoseDefinitionIsNoneIsAnIoError() throws IOException {
    byte[] file;
    try (NativeModel model = NativeModel.define(Definitions.DENSE);
        NativeBuffer weights = Definitions.weights(model, 1)) {
      file = model.write(weights);
    }
    String text = new String(file, StandardCharsets.ISO_8859_1).replace("Dense", "Dance");
    byte[] hostile = text.getBytes(StandardCharsets.ISO_8859_1);
    assertThrows(UncheckedIOException.class, () -> NativeModel.read(hostile));
  }

  @Test
  void aBufferTooSmallForTheWeightsIsAnArgument() {
    try (NativeModel model = NativeModel.define(Definitions.DENSE);
        NativeBuffer small = new NativeBuffer(model.parameterCount() * Float.BYTES - 4)) {
      assertThrows(IllegalArgumentException.class, () -> model.initialWeights(1, small));
      assertThrows(IllegalArgumentException.class, () -> model.write(small));
    }
  }

  @Test
  void aClosedModelIsRefused() {
    NativeModel model = NativeModel.define(Definitions.DENSE);
    model.close();
    assertThrows(IllegalStateException.class, model::definition);
    assertThrows(
        IllegalStateException.class, () -> new NativeDataset(model, Definitions.CROSS_ENTROPY));
  }
}
