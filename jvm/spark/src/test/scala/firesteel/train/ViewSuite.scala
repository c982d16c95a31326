package firesteel.train

import org.apache.spark.firesteel.Executor
import org.scalatest.funsuite.AnyFunSuite

class ViewSuite extends AnyFunSuite {

  private def view(members: Int, floats: Long): View = View(
    1,
    (0 until members).map(id => Member(Executor(id.toString, "localhost", 1), None)),
    (0 until members).map(n => SliceRange(n * floats, (n + 1) * floats)),
    shards = 4
  )

  test("slices of 2 GiB are refused, unless there is nobody to send them to") {
    val message = intercept[TrainingException](view(2, 1L << 29)).getMessage
    assert(message.startsWith("training on 2 executors: expected slices of at most 2147483647"))
    assert(message.contains("Use more executors"))
    assert(view(2, (1L << 29) - 1).count == 2)
    assert(view(1, 1L << 32).count == 1)
  }
}
