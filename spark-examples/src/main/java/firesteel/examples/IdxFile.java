package firesteel.examples;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * The idx format of MNIST and Fashion-MNIST: unsigned bytes behind a header of big-endian sizes,
 * gzipped.
 */
public final class IdxFile {
  private static final int IMAGES = 0x803;
  private static final int LABELS = 0x801;

  private IdxFile() {}

  /**
   * The images of a file, each row-major with pixels scaled to [0, 1].
   *
   * @param file a file such as {@code train-images-idx3-ubyte.gz}
   * @return one array of height · width numbers per image
   * @throws IOException if the file is missing, cut short or of another format
   */
  public static float[][] images(Path file) throws IOException {
    try (DataInputStream in = open(file, IMAGES)) {
      int count = in.readInt();
      int pixels = Math.multiplyExact(in.readInt(), in.readInt());
      float[][] images = new float[count][];
      for (int i = 0; i < count; i++) {
        images[i] = scaled(in.readNBytes(pixels), pixels, file, i);
      }
      return images;
    }
  }

  /**
   * The labels of a file.
   *
   * @param file a file such as {@code train-labels-idx1-ubyte.gz}
   * @return one class index per image
   * @throws IOException if the file is missing, cut short or of another format
   */
  public static int[] labels(Path file) throws IOException {
    try (DataInputStream in = open(file, LABELS)) {
      int[] labels = new int[in.readInt()];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = in.readUnsignedByte();
      }
      return labels;
    }
  }

  private static float[] scaled(byte[] bytes, int pixels, Path file, int index) throws IOException {
    if (bytes.length != pixels) {
      throw new IOException(
          file
              + ": image "
              + index
              + ": expected "
              + pixels
              + " bytes, got "
              + bytes.length
              + ". The file is cut short; fetch it again.");
    }
    float[] image = new float[pixels];
    for (int i = 0; i < pixels; i++) {
      image[i] = (bytes[i] & 0xff) / 255f;
    }
    return image;
  }

  private static DataInputStream open(Path file, int magic) throws IOException {
    DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(new GZIPInputStream(Files.newInputStream(file), 1 << 16)));
    int found = in.readInt();
    if (found != magic) {
      in.close();
      throw new IOException(
          String.format(
              "%s: expected an idx file that begins with %08x, got %08x. Give the gzipped idx"
                  + " file.",
              file, magic, found));
    }
    return in;
  }
}
