package org.apache.spark.firesteel.ui

import java.util.Locale

import scala.xml.{Elem, Node}

/**
 * A curve of a chart.
 *
 * @param points of iterations done and value, in the order of the iterations
 */
private[ui] final case class Line(name: String, color: String, points: Seq[(Double, Double)])

/**
 * Something that happened after `x` iterations.
 *
 * @param text what, when the mouse is over it
 */
private[ui] final case class Mark(x: Double, text: String)

/**
 * Draws charts over the iterations of a training, as SVG within the page: no script, nothing to load.
 *
 * @param lines curves; values that are not finite are left out
 * @param until number of iterations that the chart is wide
 * @param areStacked whether each line stands on those before it, as areas
 * @param fromZero whether 0 is always shown
 */
private[ui] final case class Chart(
    title: String,
    lines: Seq[Line],
    marks: Seq[Mark],
    until: Long,
    areStacked: Boolean = false,
    fromZero: Boolean = true
) {
  import Chart._

  private val shown = lines.map(line => line.copy(points = line.points.filter(isFinite)))
  private val curves = if (areStacked) stacked(shown) else shown
  private val values = curves.flatMap(_.points.map(_._2))
  private val right = math.max(until, 1L).toDouble
  private val least = values.minOption.filterNot(_ => fromZero).getOrElse(0.0)
  private val yTicks = Ticks(least, values.maxOption.getOrElse(1.0))
  private val xTicks = Ticks(0, right)

  /** The chart with its title and the names of its lines. */
  def toXml: Node =
    <div class="col-12 col-lg-6">
      <h5>{title}</h5>
      {
      <svg viewBox={s"0 0 $Width $Height"} width="100%" role="img" aria-label={title}
           font-size="11" fill="currentColor">
        {grid ++ curves.reverse.flatMap(draw) ++ marks.map(draw) ++ legend ++ hints}
      </svg>
    }
    </div>

  private def x(value: Double): Double = Left + value / right * (Width - Left - Right)

  private def y(value: Double): Double =
    Height - Bottom - (value - yTicks.low) / (yTicks.high - yTicks.low) * (Height - Top - Bottom)

  private def grid: Seq[Node] =
    yTicks.values.flatMap { tick =>
      line(Left, y(tick), Width - Right, y(tick), GridColor) +:
        text(Left - 6, y(tick) + 4, "end", Ticks.format(tick))
    } ++ xTicks.values.filter(_ <= right).flatMap { tick =>
      text(x(tick), Height - Bottom + 15, "middle", Ticks.format(tick))
    } ++ text((Width + Left - Right) / 2, Height - 3, "middle", "iterations")

  private def draw(curve: Line): Seq[Node] = curve.points match {
    case Seq() => Nil
    case Seq((at, value)) => Seq(<circle cx={n(x(at))} cy={n(y(value))} r="3" fill={curve.color}/>)
    case points =>
      val path = points.map { case (at, value) => s"${n(x(at))},${n(y(value))}" }.mkString(" ")
      if (areStacked) {
        val ends = Seq(points.last, points.head).map(end => s"${n(x(end._1))},${n(y(0))}")
        Seq(<polygon points={s"$path ${ends.mkString(" ")}"} fill={curve.color}/>)
      } else {
        Seq(<polyline points={path} fill="none" stroke={curve.color} stroke-width="1.5"/>)
      }
  }

  private def draw(mark: Mark): Node =
    <g>
      <title>{mark.text}</title>
      <line x1={n(x(mark.x))} x2={n(x(mark.x))} y1={n(Top)} y2={n(Height - Bottom)}
            stroke={MarkColor} stroke-width="1.5" stroke-dasharray="4 3"/>
      <circle cx={n(x(mark.x))} cy={n(Top)} r="4" fill={MarkColor}/>
    </g>

  private def legend: Seq[Node] =
    if (lines.length < 2) Nil
    else
      lines.zip(lines.scanLeft(Left + 8)((at, line) => at + 30 + 6 * line.name.length)).flatMap {
        case (line, at) =>
          <rect x={n(at)} y="1" width="10" height="10" fill={line.color}/> +:
            text(at + 14, 10, "start", line.name)
      }

  /** Strips over the chart which say the values below them. */
  private def hints: Seq[Node] = {
    val all = shown.flatMap(_.points.map(_._1)).distinct.sorted
    val some = all.grouped(math.max(1, (all.length + Strips - 1) / Strips)).map(_.last).toSeq
    val edges = x(0) +: some.zip(some.drop(1)).map { case (a, b) => x((a + b) / 2) } :+ x(right)
    some.zip(edges.zip(edges.drop(1))).map { case (at, (from, to)) =>
      val texts = shown.flatMap { line =>
        line.points.find(_._1 == at).map(point => s"${line.name} ${Ticks.format(point._2)}")
      }
      <rect x={n(from)} y={n(Top + 6)} width={n(to - from)} height={n(Height - Top - Bottom - 6)}
            fill="transparent">
        <title>{(s"after ${at.toLong} iterations" +: texts).mkString("\n")}</title>
      </rect>
    }
  }

  private def line(x1: Double, y1: Double, x2: Double, y2: Double, color: String): Elem =
    <line x1={n(x1)} y1={n(y1)} x2={n(x2)} y2={n(y2)} stroke={color}/>

  private def text(x: Double, y: Double, anchor: String, content: String): Seq[Node] =
    <text x={n(x)} y={n(y)} text-anchor={anchor}>{content}</text>
}

private[ui] object Chart {
  val Blue = "#0088cc"
  val Orange = "#f0932b"
  val Green = "#4fae6b"
  val Gray = "#b0b7bd"

  private val GridColor = "#88888844"
  private val MarkColor = "#c0392b"

  private val Width = 600.0
  private val Height = 220.0
  private val Left = 52.0
  private val Right = 12.0
  private val Top = 18.0
  private val Bottom = 34.0

  /** Most strips that say values. */
  private val Strips = 100

  private def isFinite(point: (Double, Double)): Boolean =
    !point._2.isNaN && !point._2.isInfinite

  /** Each line plus those before it; all have the same iterations. */
  private def stacked(lines: Seq[Line]): Seq[Line] =
    lines
      .scanLeft(Line("", "", Nil)) { (below, line) =>
        val sums =
          if (below.points.isEmpty) line.points
          else below.points.zip(line.points).map { case ((at, a), (_, b)) => (at, a + b) }
        line.copy(points = sums)
      }
      .drop(1)

  private def n(value: Double): String = "%.1f".formatLocal(Locale.ROOT, value)
}
