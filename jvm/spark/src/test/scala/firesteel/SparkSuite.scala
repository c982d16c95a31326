package firesteel

import org.apache.spark.sql.SparkSession
import org.scalatest.funsuite.AnyFunSuite

/** Tests that need a Spark session; each session ends with the test that made it. */
abstract class SparkSuite extends AnyFunSuite {

  /** Runs `test` with a session on this master. */
  protected def withSpark[T](master: String, settings: (String, String)*)(
      test: SparkSession => T
  ): T = {
    val builder = SparkSession
      .builder()
      .master(master)
      .appName(getClass.getSimpleName)
      .config("spark.ui.enabled", "false")
      .config("spark.sql.shuffle.partitions", "4")
      .config("spark.driver.bindAddress", "127.0.0.1")
      .config("spark.driver.host", "127.0.0.1")
      .config("spark.firesteel.progress", "false")
      .config("spark.firesteel.stateHash", "true")
      .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
      .config(
        "spark.executorEnv.FIRESTEEL_NATIVE_DIR",
        System.getProperty("firesteel.native.dir", "/tmp")
      )
    settings.foreach { case (key, value) => builder.config(key, value) }
    val spark = builder.getOrCreate()
    try test(spark)
    finally {
      spark.stop()
      SparkSession.clearActiveSession()
      SparkSession.clearDefaultSession()
    }
  }
}
