package firesteel.train

import java.io.{ByteArrayOutputStream, PrintStream}

import org.scalatest.funsuite.AnyFunSuite

class ConsoleProgressSuite extends AnyFunSuite {
  private var now = 0L

  private def shown(hasBar: Boolean)(use: ConsoleProgress => Unit): String = {
    val bytes = new ByteArrayOutputStream
    now = 0
    val progress = new ConsoleProgress(new PrintStream(bytes), hasBar, () => now)
    progress.started(PlayedTraining.info.copy(epochs = 2, records = 100))
    use(progress)
    bytes.toString
  }

  private val iterations =
    PlayedTraining.job(0).copy(epochLoss = 1.25, epochRecords = 50)

  private val epoch = EpochResult(0, 0.5, 100, 2.0, 1.5, "abc", Some(Evaluation(10, 4.0, 9)))

  test("the bar shows epoch, part, loss, speed and the time left") {
    val text = shown(hasBar = true) { progress =>
      now = 2000000000L
      progress.iterated(iterations)
    }
    assert(text == "\repoch 1/2 [==========>         ]  50% loss 1.2500 25 records/s 0:06 left")
  }

  test("the bar is not drawn more than five times a second") {
    val text = shown(hasBar = true) { progress =>
      now = 100000000L
      progress.iterated(iterations)
    }
    assert(text.isEmpty)
  }

  test("an epoch leaves one line with loss, speed and validation") {
    val text = shown(hasBar = false) { progress =>
      now = 2000000000L
      progress.iterated(iterations)
      progress.epochEnded(2, epoch)
    }
    assert(text.trim == "epoch 1/2 loss 0.5000 50 records/s validation loss 0.4000 accuracy 0.9000")
  }
}
