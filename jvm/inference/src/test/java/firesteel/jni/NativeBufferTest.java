package firesteel.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import firesteel.NativeMemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class NativeBufferTest {
  @Test
  void aBufferIsZeroAndItsSlicesShareItsMemory() {
    try (NativeBuffer buffer = new NativeBuffer(16)) {
      assertEquals(16, buffer.bytes());
      assertEquals(0L, buffer.slice(0, 8).getLong(0));
      buffer.slice(4, 4).putFloat(0, 1.5f);
      ByteBuffer whole = buffer.slice(0, 16);
      assertEquals(ByteOrder.LITTLE_ENDIAN, whole.order());
      assertEquals(1.5f, whole.getFloat(4));
      assertEquals(0, buffer.slice(16, 0).capacity());
    }
  }

  @Test
  void bytesAreCopiedBetweenBuffers() {
    try (NativeBuffer a = new NativeBuffer(8);
        NativeBuffer b = new NativeBuffer(12)) {
      a.slice(0, 8).putLong(0x0807060504030201L);
      b.copyFrom(3, a, 1, 5);
      assertEquals(0x0605040302000000L, b.slice(0, 8).getLong(0));
      assertThrows(IllegalArgumentException.class, () -> b.copyFrom(8, a, 0, 5));
      assertThrows(IllegalArgumentException.class, () -> b.copyFrom(0, a, Long.MAX_VALUE, 5));
      assertThrows(IllegalArgumentException.class, () -> b.copyFrom(0, a, 0, -1));
    }
  }

  @Test
  void theHashIsThatOfTheLittleEndianBytes() {
    try (NativeBuffer buffer = new NativeBuffer(8)) {
      // sha256 of four zero bytes.
      assertEquals(
          "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119", buffer.sha256(1));
      assertThrows(IllegalArgumentException.class, () -> buffer.sha256(3));
    }
  }

  @Test
  void aRangeOutsideTheBufferIsNamed() {
    try (NativeBuffer buffer = new NativeBuffer(16)) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> buffer.slice(12, 8)).getMessage();
      assertEquals(
          "NativeBuffer: expected a range within 16 bytes, got 12 .. 20. Correct offset and length,"
              + " or allocate a larger buffer",
          message);
      assertThrows(IllegalArgumentException.class, () -> buffer.slice(-1, 1));
      assertThrows(IllegalArgumentException.class, () -> buffer.slice(0, -1));
    }
  }

  @Test
  void memoryThatCannotBeHadIsAnException() {
    assertThrows(NativeMemoryException.class, () -> new NativeBuffer(1L << 60));
    assertThrows(IllegalArgumentException.class, () -> new NativeBuffer(-1));
  }

  @Test
  void aClosedBufferIsRefusedAndClosingTwiceIsHarmless() {
    NativeBuffer buffer = new NativeBuffer(16);
    buffer.close();
    buffer.close();
    assertTrue(buffer.isClosed());
    String message = assertThrows(IllegalStateException.class, () -> buffer.sha256(1)).getMessage();
    assertTrue(message.startsWith("NativeBuffer: expected an open object"), message);
  }

  @Test
  void closingWhileAnotherThreadUsesItIsSafe() throws InterruptedException {
    for (int round = 0; round < 200; round++) {
      NativeBuffer buffer = new NativeBuffer(1 << 16);
      String expected = buffer.sha256(1 << 14);
      AtomicInteger wrong = new AtomicInteger();
      Runnable use =
          () -> {
            try {
              while (true) {
                if (!buffer.sha256(1 << 14).equals(expected)) {
                  wrong.incrementAndGet();
                }
              }
            } catch (IllegalStateException closed) {
              // Closed by the main thread, as expected.
            }
          };
      Thread[] users = {new Thread(use), new Thread(use)};
      for (Thread user : users) {
        user.start();
      }
      buffer.close();
      for (Thread user : users) {
        user.join();
      }
      assertEquals(0, wrong.get());
    }
  }

  @Test
  void memoryReturnsWhenBuffersAreClosed() {
    long before = NativeBuffer.allocated();
    try (NativeBuffer buffer = new NativeBuffer(1 << 20)) {
      assertEquals(before + buffer.bytes(), NativeBuffer.allocated());
    }
    assertEquals(before, NativeBuffer.allocated());
  }
}
