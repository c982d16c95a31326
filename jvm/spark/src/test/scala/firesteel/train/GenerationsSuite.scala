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

  /** The buffer that the iteration's vector is written to. */
  private def made(vectors: Generations, iteration: Long): NativeBuffer = vectors.claim(iteration)

  test("iterations one at a time take turns in two buffers") {
    withVectors { vectors =>
      val first = made(vectors, 0)
      vectors.keep(0)
      val second = made(vectors, 1)
      vectors.keep(1)
      assert(vectors(1) == second)
      assert(made(vectors, 2) == first)
    }
  }

  test("a group never touches the vector it began with") {
    withVectors { vectors =>
      vectors.grow()
      made(vectors, 1)
      (0 to 3).foreach { group =>
        val start = 1L + 5 * group
        vectors.keep(start)
        val kept = vectors(start)
        val others = (1 to 5).map(ahead => made(vectors, start + ahead))
        assert(!others.contains(kept))
        assert(others.zip(others.tail).forall { case (one, next) => one != next })
      }
    }
  }

  test("what came later can be forgotten") {
    withVectors { vectors =>
      vectors.grow()
      made(vectors, 3)
      vectors.keep(3)
      made(vectors, 4)
      made(vectors, 5)
      vectors.forgetAfter(3)
      assert(vectors.has(3))
      assert(!vectors.has(4))
      assert(intercept[IllegalStateException](vectors(5)).getMessage.contains("iteration 5"))
    }
  }

  test("a vector that is not here cannot be kept") {
    withVectors(vectors => intercept[IllegalStateException](vectors.keep(2)))
  }
}
