package firesteel

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

class ConfSuite extends AnyFunSuite {

  test("a setting that is not set has no value") {
    assert(Conf.All.forall(_.get(new SparkConf(false)).isEmpty))
  }

  test("a value of the wrong form is refused with its key and what was expected") {
    val conf = new SparkConf(false).set("spark.firesteel.shards", "many")
    val message = intercept[IllegalArgumentException](Conf.Shards.get(conf)).getMessage
    assert(message.contains("spark.firesteel.shards: expected a whole number, 1 or more"))
    assert(message.contains("\"many\""))
  }

  test("every setting has a key of its own, a default and a text") {
    assert(Conf.All.map(_.key).distinct.length == Conf.All.length)
    assert(Conf.All.forall(setting => setting.key.startsWith("spark.firesteel.")))
    assert(Conf.All.forall(setting => setting.default.nonEmpty && setting.doc.endsWith(".")))
  }
}
