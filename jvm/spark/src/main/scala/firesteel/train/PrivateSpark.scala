package firesteel.train

import org.apache.spark.internal.Logging

/**
 * Recognises a platform that hides or changes the classes of Spark that are not its public API.
 *
 * Where one is missing the JVM throws a `LinkageError`, on the driver or in a task.
 */
private[train] object PrivateSpark extends Logging {

  /** Errors of linking, as Spark's report of a failed task has them. */
  private val Reported =
    """(NoClassDefFoundError|NoSuchMethodError|NoSuchFieldError|IllegalAccessError|AbstractMethodError|IncompatibleClassChangeError): ([^\n]*org[./]apache[./]spark[^\n]*)""".r

  private val OfSpark = "org[./]apache[./]spark".r

  /** What of Spark is not as it should be, if that is why `e` was thrown. */
  def missing(e: Throwable): Option[String] =
    Iterator
      .iterate(Option(e))(_.flatMap(one => Option(one.getCause)))
      .takeWhile(_.isDefined)
      .flatten
      .flatMap(described)
      .nextOption()

  /**
   * Something that a training can do without: it is, where Spark has all that it needs.
   *
   * What makes it must name a type that is always there, which the JVM links before this is called.
   */
  def ifLinked[T](what: String)(made: => T): Option[T] =
    try Some(made)
    catch {
      case e: LinkageError if missing(e).isDefined =>
        logInfo(s"no $what: ${missing(e).mkString}")
        None
    }

  private def described(e: Throwable): Option[String] = e match {
    case _: NoClassDefFoundError | _: IncompatibleClassChangeError =>
      Option(e.getMessage)
        .filter(OfSpark.findFirstIn(_).isDefined)
        .map(named(e.getClass.getSimpleName, _))
    case _ =>
      Option(e.getMessage).flatMap(Reported.findFirstMatchIn(_)).map { found =>
        named(found.group(1), found.group(2))
      }
  }

  private def named(error: String, what: String): String = s"$error: ${what.replace('/', '.')}"
}
