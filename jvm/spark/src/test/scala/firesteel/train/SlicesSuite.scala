package firesteel.train

import java.nio.{ByteBuffer, ByteOrder}

import org.apache.spark.firesteel.Executor
import org.scalatest.funsuite.AnyFunSuite

import firesteel.jni.NativeBuffer

class SlicesSuite extends AnyFunSuite {
  private val view = View(
    1,
    IndexedSeq("0", "1").map(id => Member(Executor(id, "localhost", 1), None)),
    IndexedSeq(SliceRange(0, 3), SliceRange(3, 5)),
    shards = 4
  )

  /** The store of member 0 of 2, its two weight vectors, and what it left allocated afterwards. */
  private def withStore(use: (SliceStore, Long => NativeBuffer) => Unit): Unit = {
    val before = NativeBuffer.allocated()
    val weights = Array.fill(2)(new NativeBuffer(20))
    val state = new NativeBuffer(24)
    val store = new SliceStore(
      view,
      0,
      slots = 2,
      gradientBytes = 12,
      t => weights((t % 2).toInt),
      name => Option.when(name.range.end <= 3)((state, name.slot * 12 + name.range.begin * 4))
    )
    try use(store, t => weights((t % 2).toInt))
    finally {
      store.close()
      weights.foreach(_.close())
      state.close()
    }
    assert(NativeBuffer.allocated() == before)
  }

  private def gradient(iteration: Long, root: Root = Root(2, 1)): SliceName =
    SliceName(SliceKind.Gradient, iteration, SliceRange(0, 3), root)

  private def weightsOf(iteration: Long): SliceName =
    SliceName(SliceKind.Weights, iteration, SliceRange(3, 5))

  private def stateOf(slot: Int, range: SliceRange): SliceName =
    SliceName(SliceKind.State, 0, range, slot = slot)

  private def send(store: SliceStore, name: SliceName, bytes: Array[Byte]): Unit = {
    val sink = store.sink(name, bytes.length.toLong)
    bytes.grouped(5).foreach(part => sink.write(ByteBuffer.wrap(part)))
    sink.complete()
  }

  private def refusal(store: SliceStore, name: SliceName, bytes: Int): String =
    intercept[IllegalArgumentException](send(store, name, new Array[Byte](bytes))).getMessage

  test("a header survives the wire") {
    val header = SliceHeader(3, gradient(7))
    assert(SliceHeader.decode(header.encode) == header)
  }

  test("bytes that are no header are refused") {
    val header = SliceHeader(3, gradient(7))
    val short = header.encode.limit(20).slice()
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(short)).getMessage.contains("20 bytes")
    )
    val strange = header.encode.put(0, 9.toByte)
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(strange)).getMessage.contains("magic")
    )
    val kind = header.encode.put(8, 9.toByte)
    assert(
      intercept[IllegalArgumentException](SliceHeader.decode(kind)).getMessage.contains("kind 9")
    )
  }

  test("weights arrive at their place in the vector of their iteration") {
    withStore { (store, weights) =>
      assert(store.missingWeights(1) == Seq(0, 1))
      send(store, weightsOf(1), Array.tabulate(8)(_.toByte))
      store.publish(1, SliceRange(0, 3))
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
      assert(refusal(store, gradient(0, Root(0, 2)), 12).contains("no subtree"))
      assert(refusal(store, gradient(0).copy(range = SliceRange(3, 5)), 8).contains("belongs to"))
      assert(refusal(store, weightsOf(1).copy(range = SliceRange(0, 3)), 12).contains("is its own"))
      assert(refusal(store, weightsOf(1).copy(range = SliceRange(2, 5)), 12).contains("no slice"))
      assert(refusal(store, stateOf(2, SliceRange(0, 3)), 12).contains("there is no state 2"))
      assert(refusal(store, stateOf(0, SliceRange(3, 5)), 8).contains("kept elsewhere"))
      assert(refusal(store, SliceName(SliceKind.Sums, 0, SliceRange(3, 5)), 12).contains("sums of"))
      assert(refusal(
        store,
        SliceName(SliceKind.Stop, 0, SliceRange(0, 0)),
        4
      ).contains("expected 0"))
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
      store.publish(1, SliceRange(0, 3))
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
      store.publish(1, SliceRange(0, 3))
      def await(patience: Patience): Boolean =
        store.await(patience)(store.missingWeights(1).isEmpty)
      assert(!await(new Patience(20, () => false)))
      assert(!await(new Patience(60000, () => true)))
      send(store, SliceName(SliceKind.Stop, 3, SliceRange(0, 0)), new Array[Byte](0))
      assert(!await(new Patience(60000, () => store.isStopped(3))))
      assert(!store.isStopped(4))
    }
  }

  test("sums of other slices are numbers again") {
    withStore { (store, _) =>
      val name = SliceName(SliceKind.Sums, 1, SliceRange(3, 5))
      val bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putDouble(1.5).putDouble(2)
      send(store, name, bytes.array)
      assert(store.sumsOf(1, 1).exists(_.sameElements(Array(1.5, 2.0))))
      assert(store.sumsOf(2, 1).isEmpty)
      store.advance(3)
      assert(store.sumsOf(1, 1).isEmpty)
    }
  }

  test("what arrives after the end touches no memory and leaves none") {
    withStore { (store, _) =>
      val late = store.sink(gradient(0), 12)
      val done = store.sink(gradient(1), 12)
      done.write(ByteBuffer.allocate(12))
      store.close()
      intercept[IllegalStateException](late.write(ByteBuffer.allocate(4)))
      late.abort()
      done.complete()
      assert(refusal(store, gradient(0), 12).contains("the training has ended"))
    }
  }
}
