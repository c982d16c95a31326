package firesteel.inference;

import firesteel.jni.NativeBuffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;

/** Native copies of inputs and outputs, one set per prediction that may run at once. */
final class ScratchPool {
  /** What is done with the native copies. */
  interface Action {
    void run(ByteBuffer[] inputs, ByteBuffer output);
  }

  private final Semaphore turns;
  private final ConcurrentLinkedDeque<NativeBuffer[]> free = new ConcurrentLinkedDeque<>();

  /** A pool of {@code size} sets, each for {@code inputs} inputs and one output. */
  ScratchPool(int size, int inputs) {
    turns = new Semaphore(size, true);
    for (int i = 0; i < size; i++) {
      free.add(new NativeBuffer[inputs + 1]);
    }
  }

  /** Waits for a free set, copies the inputs into it, runs the action, copies the output out. */
  void run(List<JTensor> inputs, float[] output, Action action) {
    turns.acquireUninterruptibly();
    NativeBuffer[] set = free.pop();
    try {
      ByteBuffer[] sources = new ByteBuffer[inputs.size()];
      for (int i = 0; i < sources.length; i++) {
        float[] data = inputs.get(i).getData();
        sources[i] = view(set, i, data.length);
        sources[i].asFloatBuffer().put(data);
      }
      ByteBuffer target = view(set, inputs.size(), output.length);
      action.run(sources, target);
      target.asFloatBuffer().get(output);
    } finally {
      free.push(set);
      turns.release();
    }
  }

  /** Releases all sets; no prediction may be running. */
  void close() {
    for (NativeBuffer[] set : free) {
      for (NativeBuffer buffer : set) {
        if (buffer != null) {
          buffer.close();
        }
      }
    }
    free.clear();
  }

  /** A view of at least {@code floats} numbers of buffer {@code i}, which grows when needed. */
  private static ByteBuffer view(NativeBuffer[] set, int i, int floats) {
    int bytes = Math.multiplyExact(floats, Float.BYTES);
    if (set[i] == null || set[i].bytes() < bytes) {
      NativeBuffer larger = new NativeBuffer(bytes);
      if (set[i] != null) {
        set[i].close();
      }
      set[i] = larger;
    }
    return set[i].slice(0, bytes).order(ByteOrder.nativeOrder());
  }
}
