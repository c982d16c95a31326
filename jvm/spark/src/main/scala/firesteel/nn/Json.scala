package firesteel.nn

/** JSON text of the values that definitions consist of. */
private[firesteel] object Json {
  def of(value: Int): String = value.toString

  def of(value: Boolean): String = value.toString

  /** NaN and infinities have no JSON form; as text they reach the check that names the argument. */
  def of(value: Double): String =
    if (value.isNaN || value.isInfinity) of(value.toString) else value.toString

  def of(value: String): String = {
    val escaped = value.flatMap {
      case '"' => "\\\""
      case '\\' => "\\\\"
      case char if char < ' ' => f"\\u${char.toInt}%04x"
      case char => char.toString
    }
    s"\"$escaped\""
  }

  def of(value: (Int, Int)): String = of(Seq(value._1, value._2))

  def of(value: Option[(Int, Int)]): String = value.fold("null")(size => of(size))

  def of(values: Seq[Int]): String = values.mkString("[", ",", "]")

  def of(padding: Padding): String = padding match {
    case Padding.Valid => of("valid")
    case Padding.Same => of("same")
    case Padding.Explicit(top, left, bottom, right) => of(Seq(top, left, bottom, right))
  }

  def of(initializer: Initializer): String = initializer match {
    case Initializer.Zeros => of("zeros")
    case Initializer.Ones => of("ones")
    case Initializer.GlorotUniform => of("glorot_uniform")
    case Initializer.GlorotNormal => of("glorot_normal")
    case Initializer.HeUniform => of("he_uniform")
    case Initializer.HeNormal => of("he_normal")
    case Initializer.LecunUniform => of("lecun_uniform")
    case Initializer.LecunNormal => of("lecun_normal")
    case Initializer.Constant(value) => configured("Constant", Seq("value" -> of(value)))
    case Initializer.RandomUniform(minval, maxval) =>
      configured("RandomUniform", Seq("minval" -> of(minval), "maxval" -> of(maxval)))
    case Initializer.RandomNormal(mean, stddev) =>
      configured("RandomNormal", Seq("mean" -> of(mean), "stddev" -> of(stddev)))
  }

  def array(values: Seq[String]): String = values.mkString("[", ",", "]")

  def obj(fields: Seq[(String, String)]): String =
    fields.map { case (name, value) => s"${of(name)}:$value" }.mkString("{", ",", "}")

  /** `{"class": …, "config": {…}}`. */
  def configured(name: String, config: Seq[(String, String)]): String =
    if (config.isEmpty) obj(Seq("class" -> of(name)))
    else obj(Seq("class" -> of(name), "config" -> obj(config)))
}
