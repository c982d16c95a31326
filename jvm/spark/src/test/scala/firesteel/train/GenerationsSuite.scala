package firesteel.train

import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.NativeBuffer

class GenerationsSuite extends AnyFunSuite {

  /** Some vectors of four bytes, and what they left allocated afterwards. */
  private def withVectors(use: Generations => Unit): Unit = {
    val before = NativeBuffer.allocated()
    val vectors = new Generations(4)
    try use(vectors)
    finally vectors.close()
    assert(NativeBuffer.allocated() == before)
  }

  test("iterations one at a time take turns in two buffers") {
    withVectors { vectors =>
      val first = vectors(0)
      val second = vectors(1)
      vectors.keep(1)
      assert(vectors(1) == second)
      assert(vectors(2) == first)
    }
  }

  test("a group never touches the vector it began with") {
    withVectors { vectors =>
      vectors.keep(1)
      vectors.grow()
      (0 to 3).foreach { group =>
        val start = 1L + 5 * group
        vectors.keep(start)
        val kept = vectors(start)
        val others = (1 to 5).map(ahead => vectors(start + ahead))
        assert(!others.contains(kept))
        assert(others.zip(others.tail).forall { case (one, next) => one != next })
      }
    }
  }

  test("an iteration alone after a group finds the group's last vector") {
    withVectors { vectors =>
      vectors.grow()
      vectors.keep(0)
      val last = vectors(3)
      vectors.keep(3)
      assert(vectors(3) == last)
      assert(vectors(4) != last)
    }
  }
}
