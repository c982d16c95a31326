package org.apache.spark.firesteel

import org.apache.spark.SparkEnv
import org.apache.spark.memory.{MemoryManager, MemoryMode}
import org.apache.spark.storage.BroadcastBlockId

import firesteel.NativeMemoryException

/**
 * Accounts the native memory of this process to Spark's memory manager, as off-heap storage, if
 * `spark.memory.offHeap.enabled` is set: cached blocks make room, and running out is an exception
 * here and not a killed container.
 */
object NativeMemory {
  private var accounted: Option[(MemoryManager, Long)] = None

  /**
   * Makes Spark's account equal to `allocated` bytes.
   *
   * @throws NativeMemoryException if `spark.memory.offHeap.size` does not suffice
   */
  def account(allocated: Long): Unit = synchronized {
    val manager = SparkEnv.get.memoryManager
    if (manager.maxOffHeapStorageMemory > 0) {
      val before =
        accounted.collect { case (owner, bytes) if owner eq manager => bytes }.getOrElse(0L)
      if (allocated < before) {
        manager.releaseStorageMemory(before - allocated, MemoryMode.OFF_HEAP)
      } else if (allocated > before && !acquire(manager, allocated - before)) {
        throw new NativeMemoryException(
          s"executor ${SparkEnv.get.executorId}: expected ${allocated - before} more bytes of " +
            s"off-heap memory beside $before, got a refusal. Raise spark.memory.offHeap.size or use " +
            "more executors."
        )
      }
      accounted = Some((manager, allocated))
    }
  }

  private def acquire(manager: MemoryManager, bytes: Long): Boolean =
    manager.acquireStorageMemory(BroadcastBlockId(-1, "firesteel"), bytes, MemoryMode.OFF_HEAP)
}
