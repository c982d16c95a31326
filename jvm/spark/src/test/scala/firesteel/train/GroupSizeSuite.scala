package firesteel.train

import org.scalatest.funsuite.AnyFunSuite

class GroupSizeSuite extends AnyFunSuite {

  /** The sizes of the next jobs if each iteration takes `ms` and this many are left. */
  private def sizes(size: GroupSize, jobs: Int, ms: Double, left: Int = 10000): Seq[Int] =
    Seq.fill(jobs) {
      val length = size.next(left)
      size.ended(length, ms * length, isWhole = true)
      length
    }

  test("groups grow until a job lasts a second") {
    assert(sizes(new GroupSize(None), 7, ms = 100) == Seq(1, 2, 4, 8, 10, 10, 10))
    assert(sizes(new GroupSize(None), 3, ms = 700) == Seq(1, 1, 1))
  }

  test("a group ends with the epoch") {
    assert(sizes(new GroupSize(None), 5, ms = 1, left = 3) == Seq(1, 2, 3, 3, 3))
  }

  test("a size that is set is used from the second job on") {
    assert(sizes(new GroupSize(Some(50)), 3, ms = 100) == Seq(1, 50, 50))
    assert(sizes(new GroupSize(Some(1)), 3, ms = 1) == Seq(1, 1, 1))
  }

  test("after each group that failed iterations are alone for twice as long") {
    val size = new GroupSize(None)
    assert(sizes(size, 3, ms = 1) == Seq(1, 2, 4))
    size.ended(8, 8, isWhole = false)
    assert(sizes(size, 1, ms = 1) == Seq(1))
    size.ended(2, 2, isWhole = false)
    assert(sizes(size, 4, ms = 1) == Seq(1, 1, 2, 4))
  }
}
