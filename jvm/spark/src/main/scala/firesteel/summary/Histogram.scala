package firesteel.summary

/**
 * How numbers are distributed.
 *
 * @param limits upper ends of the buckets, rising
 * @param counts how many numbers each bucket has, those from the limit before to just below its own
 */
final case class Histogram(
    min: Double,
    max: Double,
    num: Double,
    sum: Double,
    sumSquares: Double,
    limits: Array[Double],
    counts: Array[Double]
)
