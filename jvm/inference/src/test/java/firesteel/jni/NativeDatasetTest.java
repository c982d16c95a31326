package firesteel.jni;

import static firesteel.jni.Definitions.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NativeDatasetTest {
  private final NativeModel model = NativeModel.define(Definitions.DENSE);
  private final NativeDataset rows = new NativeDataset(model, Definitions.CROSS_ENTROPY);

  @AfterEach
  void close() {
    rows.close();
    model.close();
  }

  private String refusal(byte[] records) {
    return assertThrows(IllegalArgumentException.class, () -> rows.append(records, records.length))
        .getMessage();
  }

  @Test
  void rowsAreCounted() {
    rows.append(bytes(1, 2, 3, 0, 4, 5, 6, 1, 9), 32);
    assertEquals(2, rows.rows());
    assertTrue(rows.bytes() >= 32);
    rows.seal();
    rows.seal();
    assertEquals(2, rows.rows());
  }

  @Test
  void aNanIsNamedWithItsRow() {
    rows.append(bytes(1, 2, 3, 0), 16);
    String message = refusal(bytes(1, 2, 3, 0, 1, Float.NaN, 3, 0));
    assertTrue(message.startsWith("row 2: feature 1 is NaN"), message);
    message = refusal(bytes(Float.NEGATIVE_INFINITY, 2, 3, 0));
    assertTrue(message.startsWith("row 1: feature 0 is -inf"), message);
    assertEquals(1, rows.rows());
  }

  @Test
  void aLabelOutOfRangeIsNamedWithItsRow() {
    String message = refusal(bytes(1, 2, 3, 0, 1, 2, 3, 2));
    assertTrue(message.startsWith("row 1: label is 2, expected a class index 0..1"), message);
    for (float label : new float[] {-1, 0.5f, Float.NaN, 1e30f}) {
      assertTrue(refusal(bytes(1, 2, 3, label)).startsWith("row 0: label is"));
    }
  }

  @Test
  void aRecordThatIsNotWholeIsRefused() {
    assertTrue(refusal(new byte[15]).contains("15 bytes"));
    assertThrows(IllegalArgumentException.class, () -> rows.append(new byte[16], 32));
    assertThrows(IllegalArgumentException.class, () -> rows.append(new byte[16], -16));
    assertThrows(IllegalArgumentException.class, () -> rows.append(null, 16));
  }

  @Test
  void aSealedDatasetTakesNoMoreRows() {
    rows.seal();
    assertThrows(IllegalStateException.class, () -> rows.append(bytes(1, 2, 3, 0), 16));
  }

  @Test
  void aLossThatIsNoneOrDoesNotFitIsRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> new NativeDataset(model, "{\"class\": \"Hinge\"}"));
    try (NativeModel images = NativeModel.define(Definitions.TWO_INPUTS)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new NativeDataset(images, Definitions.CROSS_ENTROPY))
              .getMessage();
      assertTrue(message.contains("CrossEntropy"), message);
    }
  }

  @Test
  void aClosedDatasetIsRefused() {
    rows.close();
    assertThrows(IllegalStateException.class, () -> rows.append(bytes(1, 2, 3, 0), 16));
    assertThrows(IllegalStateException.class, rows::seal);
  }
}
