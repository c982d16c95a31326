package org.apache.spark.firesteel.ui

/**
 * Points of a curve, not more than `limit` of them however many iterations there are: when there are
 * more, neighbours become one. All but the last stand for about the same number of iterations.
 *
 * @param stride least number of iterations of a point that others follow
 */
private[ui] final case class Curve(
    points: Vector[IterationSums] = Vector.empty,
    stride: Long = 1,
    limit: Int = Curve.Limit
) {

  /** This curve and what follows; iterations that are done again take the place of the first time. */
  def +(next: IterationSums): Curve = {
    val longer = copy(points = append(points.filter(_.first < next.first), next))
    if (longer.points.length > limit) longer.coarser else longer
  }

  private def coarser: Curve = {
    val wider = copy(stride = (points.map(_.iterations).sum * 2 + limit - 1) / limit)
    wider.copy(points = points.foldLeft(Vector.empty[IterationSums])(wider.append))
  }

  private def append(to: Vector[IterationSums], next: IterationSums): Vector[IterationSums] =
    to.lastOption match {
      case Some(last) if last.iterations < stride => to.init :+ (last ++ next)
      case _ => to :+ next
    }
}

private[ui] object Curve {
  val Limit = 512
}
