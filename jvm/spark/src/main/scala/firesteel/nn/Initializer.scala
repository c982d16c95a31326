package firesteel.nn

/**
 * Distribution of the initial values of a parameter.
 *
 * `fanIn` and `fanOut` are the numbers of values that meet in one output and that one input takes
 * part in.
 */
sealed abstract class Initializer extends Product with Serializable

object Initializer {

  /** All 0. */
  case object Zeros extends Initializer

  /** All 1. */
  case object Ones extends Initializer

  /** Uniform in ±√(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
  case object GlorotUniform extends Initializer

  /** Normal of variance 2 / (fanIn + fanOut). */
  case object GlorotNormal extends Initializer

  /** Uniform in ±√(6 / fanIn) (He et al., 2015). */
  case object HeUniform extends Initializer

  /** Normal of variance 2 / fanIn. */
  case object HeNormal extends Initializer

  /** Uniform in ±√(3 / fanIn) (LeCun et al., 1998). */
  case object LecunUniform extends Initializer

  /** Normal of variance 1 / fanIn. */
  case object LecunNormal extends Initializer

  /** All the same value. */
  final case class Constant(value: Double) extends Initializer

  /** Uniform in [minval, maxval). */
  final case class RandomUniform(minval: Double = -0.05, maxval: Double = 0.05) extends Initializer

  /** Normal; the standard deviation is at least 0. */
  final case class RandomNormal(mean: Double = 0.0, stddev: Double = 0.05) extends Initializer
}
