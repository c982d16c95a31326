package firesteel.train

import org.apache.spark.internal.Logging

import firesteel.Conf

/** How weights and gradients travel between executors. */
private[firesteel] sealed trait ExchangeKind

private[firesteel] object ExchangeKind extends Logging {

  /** Slice by slice over connections between the executors. */
  case object Slices extends ExchangeKind

  /** By Spark's own shuffle and broadcast. */
  case object Shuffle extends ExchangeKind

  /** What a setting calls them; no kind is the automatic choice. */
  val Names: Map[String, Option[ExchangeKind]] =
    Map("auto" -> None, "slices" -> Some(Slices), "shuffle" -> Some(Shuffle))

  /**
   * Opens a session of the kind that is set; if none is, of slices unless Spark's private classes
   * are not what they should be.
   */
  def open(set: Option[ExchangeKind], slices: => TrainingSession, shuffle: => TrainingSession)
      : TrainingSession = set match {
    case Some(Slices) => slices
    case Some(Shuffle) => shuffle
    case None =>
      try slices
      catch {
        case e: Throwable =>
          val missing = PrivateSpark.missing(e).getOrElse(throw e)
          logWarning(
            s"training: this platform hides Spark's private classes ($missing); weights and " +
              s"gradients travel by shuffle and broadcast, which is slower (${Conf.Exchange.key} = shuffle)"
          )
          shuffle
      }
  }
}
