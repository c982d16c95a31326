package org.apache.spark.firesteel

import java.io.IOException
import java.net.InetSocketAddress
import java.util.{Collections, UUID}
import java.util.concurrent.{ConcurrentHashMap, ExecutionException, TimeoutException, TimeUnit}

import scala.annotation.tailrec
import scala.jdk.CollectionConverters._

import io.netty.channel.Channel
import io.netty.channel.socket.SocketChannel
import org.apache.spark.{SparkConf, SparkEnv}
import org.apache.spark.network.TransportContext
import org.apache.spark.network.client.TransportClient
import org.apache.spark.network.crypto.{AuthClientBootstrap, AuthServerBootstrap}
import org.apache.spark.network.netty.SparkTransportConf
import org.apache.spark.network.protocol.Message
import org.apache.spark.network.server._
import org.apache.spark.network.util.TransportFrameDecoder
import org.apache.spark.util.{ThreadUtils, Utils}

import firesteel.Conf
import firesteel.train.{Address, SliceReceiver}

/**
 * Sends slices to other executors and receives theirs, over Spark's own network layer: Spark's
 * settings for authentication, encryption and TLS apply. `spark.firesteel.io.*` are its settings.
 *
 * A connection belongs to one training, whose secret both its ends must know: see [[Handshake]].
 */
final class Exchange private[firesteel] (receiver: SliceReceiver) extends AutoCloseable {
  private val env = SparkEnv.get
  private val security = env.securityManager
  private val host = env.blockManager.blockManagerId.host
  private val conf = SparkTransportConf.fromSparkConf(
    Exchange.withDefaults(env.conf),
    "firesteel",
    sslOptions = Some(security.getRpcSSLOptions())
  )
  private val timeoutMillis = conf.connectionCreationTimeoutMs.toLong
  private val strangers = new Strangers
  private val context = new TransportContext(conf, new NoOpRpcHandler) {

    /** The pipeline of a connection that goes out. */
    override def initializePipeline(
        channel: SocketChannel,
        isClient: Boolean
    ): TransportChannelHandler = {
      val handler = super.initializePipeline(channel, isClient)
      channel.pipeline().addBefore(TransportFrameDecoder.HANDLER_NAME, "gate", new ClientGate)
      handler
    }
  }
  private val clients = context.createClientFactory()
  private val dialers =
    ThreadUtils.newDaemonCachedThreadPool("firesteel-connect", Exchange.Dialers)

  /** The connections of each training. */
  private[firesteel] val trainings = new ConcurrentHashMap[UUID, Connections]

  private val server = Utils
    .startServiceOnPort(
      Conf.ExchangePort.get(env.conf).getOrElse(0),
      port => {
        val bootstrap: TransportServerBootstrap = (channel, _) => admit(channel)
        val started = context.createServer(host, port, Collections.singletonList(bootstrap))
        (started, started.getPort)
      },
      env.conf,
      "firesteel exchange"
    )
    ._1

  /** Where this executor receives slices. */
  val address: Address = Address(host, server.getPort)

  /** The connections of a training to its other executors; made when first asked for. */
  def connections(training: UUID, secret: UUID): Connections =
    trainings.computeIfAbsent(
      training,
      _ => new Connections(dial(training, secret, _), dialers)
    )

  /** Ends the connections of a training. */
  def leave(training: UUID): Unit = Option(trainings.remove(training)).foreach(_.close())

  /** Ends all connections and receives nothing any more. */
  override def close(): Unit = {
    trainings.keySet.asScala.foreach(leave)
    dialers.shutdownNow()
    clients.close()
    server.close()
    context.close()
  }

  /** What handles the messages of a connection that came in, once it is through its gate. */
  private def admit(channel: Channel): RpcHandler = {
    val port = channel.localAddress.asInstanceOf[InetSocketAddress].getPort
    val kinds =
      if (security.isAuthenticationEnabled()) Exchange.Authenticated else Exchange.Kinds
    val gate = new ServerGate(receiver.secret, Address(host, port), strangers, kinds)
    channel.pipeline().addLast("gate", gate)
    val handler = new SliceHandler(receiver, gate)
    if (security.isAuthenticationEnabled()) {
      new AuthServerBootstrap(conf, security).doBootstrap(channel, handler)
    } else {
      handler
    }
  }

  private def dial(training: UUID, secret: UUID, to: Address): TransportClient = {
    val client = enter(training, secret, to, System.nanoTime + timeoutMillis * 1000000)
    try {
      if (security.isAuthenticationEnabled()) {
        new AuthClientBootstrap(conf, security.getSaslUser(), security)
          .doBootstrap(client, client.getChannel)
      }
      client
    } catch {
      case e: Throwable =>
        Gate.cut(client.getChannel)
        throw e
    }
  }

  /**
   * A connection through the gate at its other end. One that is cut off there without a word is
   * tried again, since strangers may have crowded it out.
   */
  @tailrec
  private def enter(training: UUID, secret: UUID, to: Address, until: Long): TransportClient = {
    val client = clients.createUnmanagedClient(to.host, to.port)
    if (isIn(client.getChannel, training, secret, to)) {
      client
    } else if (System.nanoTime < until) {
      Thread.sleep(Exchange.PauseMillis)
      enter(training, secret, to, until)
    } else {
      throw unanswered(to)
    }
  }

  private def isIn(channel: Channel, training: UUID, secret: UUID, to: Address): Boolean =
    try {
      Option(channel.pipeline().get(classOf[ClientGate])).exists {
        _.enter(channel, training, secret, to).get(timeoutMillis, TimeUnit.MILLISECONDS)
      }
    } catch {
      case e: Throwable =>
        Gate.cut(channel)
        throw e match {
          case _: TimeoutException => unanswered(to)
          case refused: ExecutionException => refused.getCause
          case other => other
        }
    }

  private def unanswered(to: Address): IOException = new IOException(
    s"firesteel exchange at ${to.host}:${to.port}: expected an answer in $timeoutMillis ms, " +
      "got none."
  )
}

object Exchange {
  private val Dialers = 64
  private val PauseMillis = 50L
  private val Kinds = Set(Message.Type.UploadStream)

  /** Spark's authentication follows the handshake, as requests. */
  private val Authenticated = Kinds + Message.Type.RpcRequest

  private var running: Option[Exchange] = None

  /** The exchange of this executor; the first call starts it. It ends with the executor. */
  def of(receiver: SliceReceiver): Exchange = synchronized {
    val exchange = running.getOrElse(new Exchange(receiver))
    running = Some(exchange)
    exchange
  }

  /** Ends the connections of a training, if this executor has an exchange. */
  def leave(training: UUID): Unit = synchronized(running).foreach(_.leave(training))

  /** Whoever does not answer is soon given up: a training goes on without it. */
  private def withDefaults(conf: SparkConf): SparkConf =
    conf.clone.setIfMissing("spark.firesteel.io.connectionCreationTimeout", "5s")
}
