package org.apache.spark.firesteel

import java.nio.ByteBuffer
import java.util.Collections
import java.util.concurrent.ConcurrentHashMap

import scala.util.Try
import scala.util.control.NonFatal

import org.apache.spark.{MapOutputTrackerMaster, SparkContext, SparkEnv}
import org.apache.spark.memory.{MemoryManager, MemoryMode}
import org.apache.spark.network.TransportContext
import org.apache.spark.network.buffer.NioManagedBuffer
import org.apache.spark.network.client._
import org.apache.spark.network.crypto.{AuthClientBootstrap, AuthServerBootstrap}
import org.apache.spark.network.netty.SparkTransportConf
import org.apache.spark.network.server._
import org.apache.spark.scheduler.{
  ExecutorCacheTaskLocation,
  ExecutorProcessLost,
  TaskSchedulerImpl
}
import org.apache.spark.scheduler.cluster.CoarseGrainedClusterMessages.RemoveExecutor
import org.apache.spark.scheduler.cluster.CoarseGrainedSchedulerBackend
import org.apache.spark.storage.BroadcastBlockId
import org.apache.spark.util.Utils

import firesteel.{Conf, NativeMemoryException}
import firesteel.train.{Address, SliceReceiver}

// Everything in firesteel that needs Spark's private API is in this file: who the executors are,
// the memory manager, and Spark's own network layer.

/** An executor with its cores; `driver` is the only one of a local master. */
final case class Executor(id: String, host: String, cores: Int) {

  /** The form in which an RDD wishes for this executor. */
  def location: String = ExecutorCacheTaskLocation(host, id).toString
}

/** The executors of an application. */
object Cluster {

  /** The id of the only executor of a local master. */
  val Driver: String = SparkContext.DRIVER_IDENTIFIER

  /** Those that can take tasks now, in the order of their numbers. */
  def executors(sc: SparkContext): Seq[Executor] = {
    val alive = executorIds(sc)
    sc.statusStore
      .executorList(activeOnly = true)
      .filter(summary => summary.totalCores > 0 && alive(summary.id))
      .map(summary =>
        Executor(summary.id, Utils.parseHostPort(summary.hostPort)._1, summary.totalCores)
      )
      .sortBy(executor => (executor.id.length, executor.id))
  }

  /** The ids of the executors that are alive. */
  def executorIds(sc: SparkContext): Set[String] =
    if (sc.isLocal && !sc.master.startsWith("local-cluster")) {
      Set(Driver)
    } else {
      sc.getExecutorIds().toSet
    }

  /** Whether an executor is alive and Spark does not want to get rid of it. */
  def isStaying(sc: SparkContext, id: String): Boolean = sc.schedulerBackend match {
    case backend: CoarseGrainedSchedulerBackend => backend.isExecutorActive(id)
    case _ => executorIds(sc)(id)
  }

  /** The executors that run a task of these jobs now. */
  def runningOn(sc: SparkContext, jobs: Seq[Int]): Set[String] =
    jobs
      .flatMap(sc.statusTracker.getJobInfo(_))
      .flatMap(_.stageIds())
      .flatMap(stage => Try(sc.statusStore.lastStageAttempt(stage)).toOption)
      .flatMap { stage =>
        sc.statusStore.taskList(stage.stageId, stage.attemptId, stage.numTasks + MostRepeated)
      }
      .collect { case task if task.status == "RUNNING" => task.executorId }
      .toSet

  /**
   * Makes Spark forget the shuffle files of an executor that is gone, which it does by itself a moment
   * later: a job that begins in between would look for them for seconds.
   */
  def forgetFiles(sc: SparkContext, id: String): Unit = sc.env.mapOutputTracker match {
    case tracker: MapOutputTrackerMaster if !sc.env.blockManager.externalShuffleServiceEnabled =>
      tracker.removeOutputsOnExecutor(id)
    case _ => ()
  }

  /**
   * Ends an executor that does not answer, and asks for another: nothing is scheduled there any more,
   * and what it had is made again from lineage.
   */
  def replace(sc: SparkContext, id: String, reason: String): Unit = sc.schedulerBackend match {
    case backend: CoarseGrainedSchedulerBackend =>
      backend.killExecutors(
        Seq(id),
        adjustTargetNumExecutors = false,
        countFailures = false,
        force = true
      )
      backend.driverEndpoint.send(RemoveExecutor(id, ExecutorProcessLost(reason)))
    case _ => ()
  }

  private val MostRepeated = 1000

  /** Number of tasks that run on each executor that is alive. */
  def runningTasks(sc: SparkContext): Map[String, Int] = {
    val running = sc.taskScheduler match {
      case scheduler: TaskSchedulerImpl => scheduler.runningTasksByExecutors
      case _ => Map.empty[String, Int]
    }
    executorIds(sc).map(id => (id, running.getOrElse(id, 0))).toMap
  }
}

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

/**
 * Sends slices to other executors and receives theirs, over Spark's own network layer: Spark's
 * settings for authentication, encryption and TLS apply. `spark.firesteel.io.*` are its settings.
 */
final class Exchange private (receiver: SliceReceiver) {
  private val env = SparkEnv.get
  private val security = env.securityManager
  private val conf = SparkTransportConf.fromSparkConf(
    env.conf,
    "firesteel",
    sslOptions = Some(security.getRpcSSLOptions())
  )
  private val context = new TransportContext(conf, new Exchange.Handler(receiver))

  private val clients = context.createClientFactory(
    if (security.isAuthenticationEnabled()) {
      Collections.singletonList[TransportClientBootstrap](
        new AuthClientBootstrap(conf, security.getSaslUser(), security)
      )
    } else {
      Collections.emptyList[TransportClientBootstrap]
    }
  )

  private val server = {
    val bootstraps = if (security.isAuthenticationEnabled()) {
      Collections.singletonList[TransportServerBootstrap](new AuthServerBootstrap(conf, security))
    } else {
      Collections.emptyList[TransportServerBootstrap]
    }
    val host = env.blockManager.blockManagerId.host
    Utils
      .startServiceOnPort(
        Conf.ExchangePort.get(env.conf).getOrElse(0),
        port => {
          val started = context.createServer(host, port, bootstraps)
          (started, started.getPort)
        },
        env.conf,
        "firesteel exchange"
      )
      ._1
  }

  /** Where this executor receives slices. */
  val address: Address = Address(env.blockManager.blockManagerId.host, server.getPort)

  private val used = new ConcurrentHashMap[Address, TransportClient]

  /** Whether the connection over which slices went to this address has ended. */
  def isDisconnected(to: Address): Boolean = Option(used.get(to)).exists(!_.isActive)

  /**
   * Makes sure that there is a connection to this address, whose end then tells of the other's.
   *
   * @throws java.io.IOException if there is none to be had
   */
  def connect(to: Address): Unit = {
    used.put(to, clients.createClient(to.host, to.port))
    ()
  }

  /** Ends the connection over which slices went to this address: what is underway fails at once. */
  def disconnect(to: Address): Unit = Option(used.remove(to)).foreach(_.close())

  /**
   * Sends `body`, which must not change until `done` is called: with the reason if the slice did not
   * arrive.
   */
  def push(
      to: Address,
      header: ByteBuffer,
      body: ByteBuffer,
      done: Option[Throwable] => Unit
  ): Unit =
    try {
      val client = clients.createClient(to.host, to.port)
      used.put(to, client)
      client.uploadStream(
        new NioManagedBuffer(header),
        new NioManagedBuffer(body),
        new RpcResponseCallback {
          override def onSuccess(response: ByteBuffer): Unit = done(None)
          override def onFailure(e: Throwable): Unit = done(Some(e))
        }
      )
      ()
    } catch {
      case NonFatal(e) => done(Some(e))
    }
}

object Exchange {
  private var running: Option[Exchange] = None

  /** The exchange of this executor; the first call starts it. It ends with the executor. */
  def of(receiver: SliceReceiver): Exchange = synchronized {
    val exchange = running.getOrElse(new Exchange(receiver))
    running = Some(exchange)
    exchange
  }

  private final class Handler(receiver: SliceReceiver) extends RpcHandler {
    private val streams = new OneForOneStreamManager

    override def getStreamManager: StreamManager = streams

    override def receive(
        client: TransportClient,
        message: ByteBuffer,
        callback: RpcResponseCallback
    ): Unit =
      callback.onFailure(
        new UnsupportedOperationException("firesteel exchange: expected a slice, got a message.")
      )

    override def receiveStream(
        client: TransportClient,
        header: ByteBuffer,
        callback: RpcResponseCallback
    ): StreamCallbackWithID = {
      val sink = receiver.open(header)
      new StreamCallbackWithID {
        override def getID: String = "firesteel"
        override def onData(streamId: String, data: ByteBuffer): Unit = sink.write(data)
        override def onComplete(streamId: String): Unit = sink.complete()
        override def onFailure(streamId: String, cause: Throwable): Unit = sink.abort()
      }
    }
  }
}
