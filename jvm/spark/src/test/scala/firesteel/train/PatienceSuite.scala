package firesteel.train

import org.scalatest.funsuite.AnyFunSuite

class PatienceSuite extends AnyFunSuite {

  test("an interrupt does not end a wait, and is not forgotten") {
    val monitor = new Object
    val begin = System.nanoTime
    Thread.currentThread.interrupt()
    val inTime = new Patience(60000, () => false).await(monitor) {
      System.nanoTime - begin > 50L * 1000 * 1000
    }
    assert(Thread.interrupted())
    assert(inTime)
  }

  test("a wait ends when it is no use or takes too long") {
    assert(!new Patience(60000, () => true).await(new Object)(false))
    assert(!new Patience(1, () => false).await(new Object)(false))
  }
}
