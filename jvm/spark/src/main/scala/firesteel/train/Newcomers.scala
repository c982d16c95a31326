package firesteel.train

import scala.collection.mutable
import scala.concurrent.Await
import scala.concurrent.duration._
import scala.util.{Failure, Success, Try}

import org.apache.spark.{SimpleFutureAction, SparkContext}
import org.apache.spark.firesteel.{Cluster, Executor}
import org.apache.spark.internal.Logging

import firesteel.NativeException

/**
 * Executors that come while a training runs: each opens the training in a job of its own, beside the
 * iterations, and is ready to join when that has ended.
 */
private[train] final class Newcomers(sc: SparkContext, spec: TrainingSpec, threads: Option[Int])
    extends Logging {
  private final class Opening(val executor: Executor) {
    @volatile var answer: Option[Outcome[Either[NativeException, Option[Address]]]] = None
    val action: SimpleFutureAction[Unit] = {
      sc.setLocalProperty("callSite.short", s"opening on executor ${executor.id}")
      sc.submitJob[String, Outcome[Either[NativeException, Option[Address]]], Unit](
        new PlacedRDD(sc, Seq(executor)),
        new OpenTask(spec, threads, Seq(executor.cores)),
        Seq(0),
        (_, outcome) => answer = Some(outcome),
        ()
      )
    }
  }

  private val opening = mutable.LinkedHashMap.empty[String, Opening]
  private val open = mutable.LinkedHashMap.empty[String, Member]
  private val useless = mutable.Set.empty[String]

  /** The newcomers that are ready, none of which is among `known`; begins with those it sees first. */
  def ready(known: Set[String]): Seq[Member] = {
    val strangers = Cluster.executorIds(sc) -- known -- useless -- opening.keys -- open.keys
    if (strangers.nonEmpty) {
      Cluster
        .executors(sc)
        .filter(executor => strangers(executor.id) && Cluster.isStaying(sc, executor.id))
        .foreach(executor => opening.put(executor.id, new Opening(executor)))
    }
    opening.values.toSeq.foreach(take)
    // Spark would run the task of one that is gone elsewhere, where it holds a slot for nothing.
    val gone = opening.keySet.filterNot(Cluster.isStaying(sc, _)).toSet
    gone.flatMap(opening.remove).foreach(_.action.cancel())
    val staying = open.values.filter(one => Cluster.isStaying(sc, one.executor.id)).toSeq
    open.keys.filterNot(id => staying.exists(_.executor.id == id)).toSeq.foreach(open.remove)
    staying.filterNot(one => known(one.executor.id))
  }

  /** Has opened the training already. */
  def add(member: Member): Unit = {
    open.put(member.executor.id, member)
    ()
  }

  /** These have joined, or are to begin anew if they come again. */
  def forget(executors: Iterable[String]): Unit = executors.foreach(open.remove)

  /** Lets nobody in any more; all that have opened the training and have not joined. */
  def close(): Seq[Executor] = {
    opening.values.foreach(one => Try(Await.ready(one.action, Newcomers.OpeningLimit)))
    opening.values.map(_.executor).toSeq ++ open.values.map(_.executor)
  }

  private def take(one: Opening): Unit = one.action.value.foreach { ended =>
    opening.remove(one.executor.id)
    (ended, one.answer) match {
      case (Success(_), Some(Outcome.Done(Right(address)))) =>
        open.put(one.executor.id, Member(one.executor, address))
        ()
      case (Success(_), Some(Outcome.Done(Left(e)))) =>
        useless += one.executor.id
        logWarning(s"executor ${one.executor.id} on ${one.executor.host} cannot take part", e)
      case (Failure(e), _) =>
        logWarning(s"executor ${one.executor.id} on ${one.executor.host} did not open", e)
      case _ => () // Misplaced: it is a stranger again, and asked again.
    }
  }
}

private object Newcomers {
  private val OpeningLimit = 10.seconds
}
