package org.apache.spark.firesteel.ui

import java.net.URI
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.nio.file.Files

import scala.xml.{Elem, XML}

import org.apache.spark.deploy.history.LocalHistoryServer
import org.apache.spark.sql.SparkSession

import firesteel.SparkSuite
import firesteel.train.{DivergedException, PlayedTraining}

class TrainingTabSuite extends SparkSuite {
  private val client = HttpClient.newBuilder.followRedirects(HttpClient.Redirect.NORMAL).build

  private def get(url: String): HttpResponse[String] =
    client.send(HttpRequest.newBuilder(URI.create(url)).build, HttpResponse.BodyHandlers.ofString)

  private def page(url: String): Elem = {
    val response = get(url)
    assert(response.statusCode == 200, s"$url: ${response.body.take(2000)}")
    // What Spark writes is XML but for its doctype.
    XML.loadString(response.body.drop(response.body.indexOf("<html")))
  }

  private def withPages[T](settings: (String, String)*)(test: SparkSession => T): T =
    withSpark(
      "local[1]",
      Seq("spark.ui.enabled" -> "true", "spark.ui.port" -> "0") ++ settings: _*
    )(test)

  private def url(spark: SparkSession): String =
    spark.sparkContext.uiWebUrl.get.replaceFirst("//[^:]+", "//127.0.0.1")

  private def settle(spark: SparkSession): Unit = spark.sparkContext.listenerBus.waitUntilEmpty()

  private def rows(page: Elem, table: String): Seq[Seq[String]] = {
    val found = (page \\ "table").filter(_ \@ "id" == table)
    (found \ "tbody" \ "tr").map(row => (row \ "td").map(_.text.trim))
  }

  private def tabs(page: Elem): Seq[String] =
    (page \\ "a").filter(_ \@ "class" == "nav-link").map(_.text)

  private val id = PlayedTraining.info.id

  /** What is to be seen of the played training, wherever it is shown. */
  private def checkPages(base: String, isLive: Boolean): Unit = {
    val list = page(s"$base/training/")
    assert(tabs(list).contains("Training"))
    assert(rows(list, "trainings").length == 1)
    val training = rows(list, "trainings").head
    assert(training.head == "lenet5")
    assert(training(1) == "SUCCEEDED")
    assert(training.slice(4, 6) == Seq("6/6", "600"))

    val link = (list \\ "a").map(_ \@ "href").filter(_.contains("?id=")).head
    val details = page(URI.create(base).resolve(link).toString)
    checkDetails(details)
    assert((details \\ "div").exists(_ \@ "data-running" == "false"))
    assert(!isLive || !(details \\ "script").exists(_.text.contains("training-live")))
  }

  private def checkDetails(details: Elem): Unit = {
    assert((details \\ "svg").length == 5)
    assert(!details.toString.contains("NaN"))
    assert(
      details.text.contains(
        "compute 69.3 %, stragglers 14.6 %, exchange 9.7 %, scheduling 6.5 %"
      )
    )
    val executors = rows(details, "training-executors")
    assert(executors.map(_.head) == Seq("3", "4", "1", "2"))
    assert(executors.head(2) == "26 ms")
    assert(executors.head(4) == "1.24×")
    assert(executors.last(1) == "until iteration 240")
    assert(
      rows(details, "training-changes").map(row => (row(1), row(2), row(3))) ==
        Seq(("400", "2 → 3", "executor 4 joined"), ("240", "3 → 2", "executor 2 was lost"))
    )
    assert(rows(details, "training-epochs").map(_.head) == (6 to 1 by -1).map(_.toString))
    assert(rows(details, "training-epochs").head(3).contains("Top1Accuracy 0.9"))
    assert(rows(details, "training-layers") == Seq(
      Seq("conv", "Conv2D", "156"),
      Seq("dense", "Dense", "850")
    ))
    assert(rows(details, "training-settings").contains(Seq("Batch size", "128")))
  }

  test("the tab shows a training while the application runs") {
    withPages() { spark =>
      assert(!tabs(page(s"${url(spark)}/executors/")).contains("Training"))
      PlayedTraining.play(TrainingPoster(spark.sparkContext))(())
      settle(spark)
      checkPages(url(spark), isLive = true)
      val missing = page(s"${url(spark)}/training/training/?id=nobody")
      assert(missing.text.contains("No training with this id"))
    }
  }

  test("a running training's page is kept fresh, a failed one says why") {
    withPages() { spark =>
      val poster = TrainingPoster(spark.sparkContext)
      poster.started(PlayedTraining.info)
      settle(spark)
      val details = s"${url(spark)}/training/training/?id=$id"
      assert((page(details) \\ "svg").isEmpty)
      poster.iterated(PlayedTraining.job(0))
      poster.validated(20, Nil)
      settle(spark)
      val running = page(details)
      assert((running \\ "div").exists(_ \@ "data-running" == "true"))
      assert((running \\ "script").exists(_.text.contains("training-live")))
      assert((running \\ "svg").length == 4)
      poster.ended(Some(new DivergedException("<b>loss</b> is NaN")))
      settle(spark)
      val failed = page(details)
      assert(failed.text.contains("FAILED"))
      assert(failed.text.contains("<b>loss</b> is NaN"))
      assert((failed \\ "div").exists(_ \@ "data-running" == "false"))
    }
  }

  test("several trainings of an application share one tab") {
    withPages() { spark =>
      (0 until 105).foreach { n =>
        val poster = TrainingPoster(spark.sparkContext)
        poster.started(PlayedTraining.info.copy(
          id = new java.util.UUID(1, n.toLong),
          name = s"net$n"
        ))
        poster.ended(None)
      }
      settle(spark)
      val list = page(s"${url(spark)}/training/")
      assert(tabs(list).count(_ == "Training") == 1)
      val names = rows(list, "trainings").map(_.head)
      assert(names.contains("net104") && !names.contains("net0"))
      assert(names.length == 100)
    }
  }

  test("without web pages a training is posted all the same") {
    withSpark("local[1]") { spark =>
      PlayedTraining.play(TrainingPoster(spark.sparkContext))(())
      settle(spark)
    }
  }

  test("the History Server shows a training from the event log") {
    val logs = Files.createTempDirectory("events")
    val app =
      withPages("spark.eventLog.enabled" -> "true", "spark.eventLog.dir" -> logs.toUri.toString) {
        spark =>
          PlayedTraining.play(TrainingPoster(spark.sparkContext))(())
          spark.sparkContext.applicationId
      }
    val store = Files.createTempDirectory("store")
    Seq(Nil, Seq("spark.history.store.path" -> store.toString)).foreach { settings =>
      LocalHistoryServer(logs, settings: _*) { base =>
        checkPages(s"$base/history/$app", isLive = false)
      }
    }
  }

  test("an application without a training has no tab") {
    val logs = Files.createTempDirectory("events")
    val app =
      withPages("spark.eventLog.enabled" -> "true", "spark.eventLog.dir" -> logs.toUri.toString) {
        spark => spark.sparkContext.applicationId
      }
    LocalHistoryServer(logs) { base =>
      assert(!tabs(page(s"$base/history/$app/executors/")).contains("Training"))
    }
  }
}
