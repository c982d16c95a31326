package firesteel.examples;

import firesteel.inference.InferenceModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Serves a trained model in a plain Java process: no Spark, no Scala, one jar.
 *
 * <p>Arguments: the model file, the folder with the test images, a file with the class that Spark
 * predicted for each image, one per line. Exit code 1 if one of them differs.
 */
public final class PredictWithoutSpark {
  private PredictWithoutSpark() {}

  public static void main(String[] args) throws Exception {
    float[][] images = IdxFile.images(Path.of(args[1], "t10k-images-idx3-ubyte.gz"));
    List<String> expected = Files.readAllLines(Path.of(args[2]));
    int equal = 0;
    try (InferenceModel model = new InferenceModel(1)) {
      model.load(args[0]);
      for (int i = 0; i < images.length; i++) {
        float[] scores = model.predict(images[i], new int[] {1, 1, 28, 28});
        if (argmax(scores) == Integer.parseInt(expected.get(i))) {
          equal++;
        }
      }
    }
    System.out.printf(
        "plain Java: %,d of %,d predictions equal to those of Spark%n", equal, images.length);
    System.exit(equal == images.length && equal == expected.size() ? 0 : 1);
  }

  private static int argmax(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }
}
