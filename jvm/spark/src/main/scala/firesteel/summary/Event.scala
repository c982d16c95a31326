package firesteel.summary

import firesteel.jni.Histogram

/**
 * An entry of an event file: `tensorboard/compat/proto/event.proto` of TensorBoard.
 *
 * @param wallTime seconds since 1970
 * @param step number of iterations done
 * @param content what happened
 */
private[summary] final case class Event(wallTime: Double, step: Long, content: Event.Content) {

  /** The event as a protobuf message. */
  def toBytes: Array[Byte] = {
    val message = new ProtoWriter().double(1, wallTime).varint(2, step)
    (content match {
      case Event.FileVersion(version) => message.string(3, version)
      case Event.Values(values) =>
        message.message(
          5,
          values.foldLeft(new ProtoWriter)((summary, value) =>
            summary.message(1, Event.write(value))
          )
        )
    }).toBytes
  }
}

private[summary] object Event {

  /** What an event holds. */
  sealed trait Content

  /** The first event of each file. */
  final case class FileVersion(version: String) extends Content

  /** Values of one step. */
  final case class Values(values: Seq[Value]) extends Content

  /** A value under a tag. */
  sealed trait Value { def tag: String }

  /** A number. */
  final case class Scalar(tag: String, value: Float) extends Value

  /** A distribution. */
  final case class Distribution(tag: String, histogram: Histogram) extends Value

  /** The version that all files have had since 2015. */
  val Version: FileVersion = FileVersion("brain.Event:2")

  private def write(value: Value): ProtoWriter = {
    val message = new ProtoWriter().string(1, value.tag)
    value match {
      case Scalar(_, number) => message.float(2, number)
      case Distribution(_, histogram) =>
        val (limits, counts) = buckets(histogram)
        message.message(
          5,
          new ProtoWriter()
            .double(1, histogram.min)
            .double(2, histogram.max)
            .double(3, histogram.num)
            .double(4, histogram.sum)
            .double(5, histogram.sumSquares)
            .doubles(6, limits)
            .doubles(7, counts)
        )
    }
  }

  /**
   * Upper ends and counts of buckets that follow each other without a gap: those between two that are
   * not empty become one.
   */
  private def buckets(histogram: Histogram): (Array[Double], Array[Double]) = {
    val ends = histogram.lows.zip(histogram.highs).zip(histogram.counts)
    val before = Double.NegativeInfinity +: histogram.highs
    ends
      .zip(before)
      .flatMap { case (((low, high), count), end) =>
        if (end < low) Seq((low, 0.0), (high, count)) else Seq((high, count))
      }
      .unzip
  }

  /** The event in a protobuf message; what we do not write is left out. */
  def read(bytes: Array[Byte]): Event = {
    var event = Event(0, 0, Values(Nil))
    ProtoReader.fields(bytes) {
      case (1, ProtoReader.Fixed(bits)) =>
        event = event.copy(wallTime = java.lang.Double.longBitsToDouble(bits))
      case (2, ProtoReader.Fixed(step)) => event = event.copy(step = step)
      case (3, ProtoReader.Bytes(text)) =>
        event = event.copy(content = FileVersion(new String(text, "UTF-8")))
      case (5, ProtoReader.Bytes(summary)) => event = event.copy(content = Values(scalars(summary)))
    }
    event
  }

  private def scalars(summary: Array[Byte]): Seq[Scalar] = {
    val found = Seq.newBuilder[Scalar]
    ProtoReader.fields(summary) { case (1, ProtoReader.Bytes(value)) =>
      var tag = ""
      var number: Option[Float] = None
      ProtoReader.fields(value) {
        case (1, ProtoReader.Bytes(text)) => tag = new String(text, "UTF-8")
        case (2, ProtoReader.Fixed(bits)) =>
          number = Some(java.lang.Float.intBitsToFloat(bits.toInt))
      }
      found ++= number.map(Scalar(tag, _))
    }
    found.result()
  }
}
