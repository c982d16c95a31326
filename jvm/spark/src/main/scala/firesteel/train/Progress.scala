package firesteel.train

import java.io.PrintStream
import java.util.Locale

import org.apache.spark.SparkConf

import firesteel.Conf

/** Shows on the console how far a training is. */
private[train] object Progress {

  /** A bar on a terminal, lines elsewhere, none if it is not wanted. */
  def apply(conf: SparkConf): Option[Observer] =
    if (!Conf.Progress.get(conf).getOrElse(true)) {
      None
    } else {
      val isTerminal = Option(System.console()).isDefined &&
        conf.getBoolean("spark.ui.showConsoleProgress", defaultValue = true)
      Some(new ConsoleProgress(System.err, isTerminal, () => System.nanoTime))
    }
}

/**
 * Progress as text.
 *
 * {{{
 * epoch 2/10 [=========>          ]  48% loss 0.4127 12040 records/s 0:41 left
 * epoch 2/10 loss 0.4015 12110 records/s validation loss 0.3920 accuracy 0.8569
 * }}}
 *
 * @param hasBar whether iterations are shown, by a line that is written over
 * @param clock time in nanoseconds
 */
private[train] final class ConsoleProgress(
    out: PrintStream,
    hasBar: Boolean,
    clock: () => Long
) extends Observer {
  import ConsoleProgress._

  private var epochs = 0
  private var records = 0L
  private var start = 0L
  private var shownAt = 0L
  private var width = 0

  override def started(training: TrainingInfo): Unit = {
    epochs = training.epochs
    records = training.records
    start = clock()
    shownAt = start
  }

  override def iterated(iterations: IterationsDone): Unit =
    if (hasBar && clock() - shownAt >= IntervalNs) {
      shownAt = clock()
      val all = iterations.epoch * records + iterations.epochRecords
      val rate = all / ((shownAt - start) / 1e9)
      val left = ((epochs * records - all) / rate).toLong
      val part = iterations.epochRecords.toDouble / records
      val filled = (part * BarWidth).toInt.min(BarWidth - 1)
      val bar = "=" * filled + ">" + " " * (BarWidth - 1 - filled)
      val percent = (part * 100).toInt
      overwrite(
        format(
          s"${name(iterations.epoch)} [$bar] %3d%% loss %.4f %.0f records/s %s left",
          percent,
          iterations.epochLoss,
          rate,
          time(left)
        )
      )
    }

  override def epochEnded(done: Long, result: EpochResult): Unit = {
    val validation = result.validation.fold("") { measured =>
      format(" validation loss %.4f accuracy %.4f", measured.loss, measured.accuracy)
    }
    if (hasBar) overwrite("")
    val rate = result.recordsPerSecond
    out.println(
      format(s"${name(result.epoch)} loss %.4f %.0f records/s", result.loss, rate) + validation
    )
  }

  private def name(epoch: Int): String = s"epoch ${epoch + 1}/$epochs"

  private def overwrite(line: String): Unit = {
    out.print("\r" + line.padTo(width, ' ') + (if (line.isEmpty) "\r" else ""))
    out.flush()
    width = line.length
  }
}

private object ConsoleProgress {
  private val BarWidth = 20
  private val IntervalNs = 200L * 1000 * 1000

  private def format(pattern: String, values: Any*): String =
    pattern.formatLocal(Locale.ROOT, values: _*)

  private def time(seconds: Long): String =
    if (seconds >= 3600) format("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
    else format("%d:%02d", seconds / 60, seconds % 60)
}
