package firesteel.examples

import java.io.ByteArrayInputStream
import java.nio.file.Path
import javax.imageio.ImageIO

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions.{col, element_at, monotonically_increasing_id, split, udf}

/** A folder of images, one folder per class (`0`, `1`, …), as rows of grey pixels. */
object ImageFolder {

  /** Columns `id`, `image` (height · width numbers in [0, 1]) and `label`. */
  def read(spark: SparkSession, folder: Path): DataFrame = {
    val grey = udf((content: Array[Byte], path: String) => pixels(content, path))
    spark.read
      .format("binaryFile")
      .option("recursiveFileLookup", "true")
      .load(folder.toString)
      .orderBy("path")
      .select(
        monotonically_increasing_id().as("id"),
        grey(col("content"), col("path")).as("image"),
        element_at(split(col("path"), "/"), -2).cast("double").as("label")
      )
  }

  private def pixels(content: Array[Byte], path: String): Array[Float] = {
    val image = Option(ImageIO.read(new ByteArrayInputStream(content))).getOrElse(
      throw new IllegalArgumentException(
        s"$path: expected a PNG, JPEG, GIF or BMP image, got something else. Remove the file."
      )
    )
    Array.tabulate(image.getHeight * image.getWidth) { i =>
      val rgb = image.getRGB(i % image.getWidth, i / image.getWidth)
      val (red, green, blue) = ((rgb >> 16) & 0xff, (rgb >> 8) & 0xff, rgb & 0xff)
      (0.299f * red + 0.587f * green + 0.114f * blue) / 255f
    }
  }
}
