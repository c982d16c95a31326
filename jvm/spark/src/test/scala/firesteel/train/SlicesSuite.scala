package firesteel.train

import java.nio.ByteBuffer

import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.NativeBuffer

class SlicesSuite extends AnyFunSuite {
  private val ranges = IndexedSeq(SliceRange(0, 3), SliceRange(3, 5))

  /** The store of task 0 of 2, its two weight vectors, and what it left allocated afterwards. */
  private def withStore(use: (SliceStore, Long => NativeBuffer) => Unit): Unit = {
    val before = NativeBuffer.allocated()
    val weights = Array.fill(2)(new NativeBuffer(20))
    val store = new SliceStore(0, ranges, shards = 4, t => weights((t % 2).toInt))
    try use(store, t => weights((t % 2).toInt))
    finally {
      store.close()
      weights.foreach(_.close())
    }
    assert(NativeBuffer.allocated() == before)
  }

  private def gradient(iteration: Long, root: Root = Root(2, 1)): SliceName =
    SliceName(SliceKind.Gradient, iteration, 0, root)

  private def weightsOf(iteration: Long): SliceName = SliceName(SliceKind.Weights, iteration, 1)

  private def send(store: SliceStore, name: SliceName, bytes: Array[Byte]): Unit = {
    val sink = store.sink(name, bytes.length.toLong)
    bytes.grouped(5).foreach(part => sink.write(ByteBuffer.wrap(part)))
    sink.complete()
  }

  private def refusal(store: SliceStore, name: SliceName, bytes: Int): String =
    intercept[IllegalArgumentException](send(store, name, new Array[Byte](bytes))).getMessage

  test("a header survives the wire") {
    val header = SliceHeader(gradient(7))
    assert(SliceHeader.decode(header.encode) == header)
  }

  test("bytes that are no header are refused") {
    val header = SliceHeader(gradient(7))
    val short = header.encode.limit(20).slice()
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(short)).getMessage.contains("20 bytes")
    )
    val strange = header.encode.put(0, 9.toByte)
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(strange)).getMessage.contains("magic")
    )
    val kind = header.encode.put(4, 9.toByte)
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(kind)).getMessage.contains("kind 9")
    )
  }

  test("weights arrive at their place in the vector of their iteration") {
    withStore { (store, weights) =>
      assert(store.missingWeights(1) == Seq(0, 1))
      send(store, weightsOf(1), Array.tabulate(8)(_.toByte))
      store.publishOwn(1)
      assert(store.missingWeights(1).isEmpty)
      val bytes = new Array[Byte](8)
      weights(1).slice(12, 8).get(bytes)
      assert(bytes.toSeq == (0 until 8).map(_.toByte))
    }
  }

  test("a gradient that comes twice is kept once") {
    withStore { (store, _) =>
      send(store, gradient(0), Array.fill(12)(1))
      val first = store.gradient(0, Root(2, 1))
      send(store, gradient(0), Array.fill(12)(2))
      assert(store.gradient(0, Root(2, 1)) == first)
      assert(first.exists(_.slice(0, 1).get() == 1))
    }
  }

  test("a gradient is free two iterations later and its memory is used again") {
    withStore { (store, _) =>
      send(store, gradient(0), new Array[Byte](12))
      store.advance(1)
      assert(store.gradient(0, Root(2, 1)).isDefined)
      store.advance(2)
      assert(store.gradient(0, Root(2, 1)).isEmpty)
      val before = NativeBuffer.allocated()
      send(store, gradient(2), new Array[Byte](12))
      assert(NativeBuffer.allocated() == before)
    }
  }

  test("a slice with a wrong name or size is refused") {
    withStore { (store, _) =>
      assert(refusal(store, gradient(0), 8).contains("expected 12 bytes, got 8"))
      assert(refusal(store, gradient(5), 12).contains("iteration 5 is ahead of 0"))
      assert(refusal(store, gradient(0, Root(9, 0)), 12).contains("no subtree"))
      assert(refusal(store, weightsOf(1).copy(slice = 0), 12).contains("belongs to another"))
      assert(refusal(store, weightsOf(1).copy(slice = 2), 12).contains("there is no slice 2"))
    }
  }

  test("a slice that breaks off or is longer than it said is not taken") {
    withStore { (store, _) =>
      val broken = store.sink(gradient(0), 12)
      broken.write(ByteBuffer.allocate(4))
      broken.abort()
      val short = store.sink(gradient(0), 12)
      short.write(ByteBuffer.allocate(4))
      intercept[IllegalArgumentException](short.complete())
      val long = store.sink(gradient(0), 12)
      intercept[IllegalArgumentException](long.write(ByteBuffer.allocate(16)))
      long.abort()
      assert(store.gradient(0, Root(2, 1)).isEmpty)
    }
  }

  test("a slice that is waited for wakes the one who waits") {
    withStore { (store, _) =>
      store.publishOwn(1)
      val late = new Thread(() => {
        Thread.sleep(50)
        send(store, weightsOf(1), new Array[Byte](8))
      })
      late.start()
      assert(store.await(Patience.seconds(60))(store.missingWeights(1).isEmpty))
      late.join()
    }
  }

  test("waiting ends with the group, with the limit, and when it is no use any more") {
    withStore { (store, _) =>
      def await(patience: Patience): Boolean = store.await(patience)(store.hasWeights(1, 1))
      assert(!await(new Patience(20, () => false)))
      assert(!await(new Patience(60000, () => true)))
      send(store, SliceName(SliceKind.Stop, 3, 0), new Array[Byte](0))
      assert(!await(new Patience(60000, () => store.isStopped(3))))
      assert(!store.isStopped(4))
    }
  }

  test("going back forgets what came later and drops what is just arriving") {
    withStore { (store, weights) =>
      store.advance(1)
      send(store, gradient(1), new Array[Byte](12))
      val late = store.sink(weightsOf(2), 8)
      late.write(ByteBuffer.wrap(Array.fill(4)(1)))
      store.rollBack(0)
      assert(store.missingWeights(0).isEmpty)
      assert(store.gradient(1, Root(2, 1)).isEmpty)
      late.write(ByteBuffer.wrap(Array.fill(4)(1)))
      intercept[IllegalArgumentException](late.complete())
      assert(weights(2).slice(16, 4).getInt == 0)
      assert(refusal(store, weightsOf(2), 8).contains("ahead"))
    }
  }

  test("what arrives after the end touches no memory and leaves none") {
    withStore { (store, _) =>
      val late = store.sink(gradient(0), 12)
      val done = store.sink(gradient(0, Root(3, 0)), 12)
      done.write(ByteBuffer.allocate(12))
      store.close()
      intercept[IllegalStateException](late.write(ByteBuffer.allocate(4)))
      late.abort()
      done.complete()
      assert(refusal(store, gradient(0), 12).contains("the training has ended"))
    }
  }
}
