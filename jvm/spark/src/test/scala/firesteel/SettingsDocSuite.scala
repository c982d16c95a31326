package firesteel

import java.nio.file.{Files, Path, Paths}

import org.scalatest.funsuite.AnyFunSuite

/** `docs/settings.md` is made from [[Conf]]; `FIRESTEEL_WRITE_DOCS=1` writes it. */
class SettingsDocSuite extends AnyFunSuite {

  test("docs/settings.md says what Conf says") {
    val page = SettingsDocSuite.page
    val file = SettingsDocSuite.docs.resolve("settings.md")
    if (sys.env.contains("FIRESTEEL_WRITE_DOCS")) Files.writeString(file, page)
    assert(Files.readString(file) == page, "run this suite with FIRESTEEL_WRITE_DOCS=1")
  }
}

object SettingsDocSuite {

  /** The folder `docs`, which lies beside `jvm`, above wherever the tests run. */
  private def docs: Path =
    Iterator
      .iterate(Paths.get("").toAbsolutePath)(_.getParent)
      .takeWhile(Option(_).isDefined)
      .map(_.resolve("docs"))
      .find(Files.isDirectory(_))
      .getOrElse(fail("no folder docs above this one"))

  private def fail(reason: String): Nothing = throw new AssertionError(reason)

  private def page: String = {
    val settings = Conf.All.map { setting =>
      s"## ${setting.key}\n${setting.doc}\n\nDefault: ${setting.default}.\n"
    }
    "# Settings\n\n" +
      "Keys of Spark's configuration: `spark-submit --conf key=value`. Made from `Conf.scala`.\n\n" +
      settings.mkString("\n")
  }
}
