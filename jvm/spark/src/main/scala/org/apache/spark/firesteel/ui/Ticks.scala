package org.apache.spark.firesteel.ui

import java.util.Locale

/** Round numbers along an axis. */
private[ui] final case class Ticks(values: Seq[Double]) {
  def low: Double = values.head
  def high: Double = values.last
}

private[ui] object Ticks {
  private val Most = 5

  /** Ticks that enclose `least` and `most`; from 0 unless that would flatten the curve. */
  def apply(least: Double, most: Double): Ticks = {
    val from = if (least >= 0 && least < most / 2) 0.0 else least
    val range = if (most > from) most - from else math.max(math.abs(most), 1e-9)
    val power = math.pow(10, math.floor(math.log10(range / Most)))
    val step = Seq(1, 2, 5, 10).map(_ * power).find(range / _ <= Most).get
    val first = math.floor(from / step).toLong
    val last = math.max(first + 1, math.ceil(most / step - 1e-9).toLong)
    Ticks((first to last).map(_ * step))
  }

  /** Four digits, or with K, M, G; what is very small with an exponent. */
  def format(value: Double): String = math.abs(value) match {
    case 0 => "0"
    case size if size >= 1e10 => scaled(value, 1e9, "G")
    case size if size >= 1e7 => scaled(value, 1e6, "M")
    case size if size >= 1e4 => scaled(value, 1e3, "K")
    case size if size < 1e-4 => "%.2e".formatLocal(Locale.ROOT, value).replaceFirst("\\.?0*e", "e")
    case size => plain(value, 3 - math.floor(math.log10(size)).toInt)
  }

  private def scaled(value: Double, unit: Double, name: String): String =
    plain(value / unit, 1) + name

  private def plain(value: Double, digits: Int): String =
    BigDecimal(value)
      .setScale(math.max(0, digits), BigDecimal.RoundingMode.HALF_UP)
      .bigDecimal
      .stripTrailingZeros
      .toPlainString
}
