package firesteel.optim

/**
 * The learning rate for a large batch, from one that is good for a small batch: as many times larger as
 * the batch is, after a linear warm-up (Goyal et al., 2017, sections 2.1 and 2.2).
 *
 * {{{
 * // 0.1 is good for batches of 256; in batches of 8,192 it rises to 3.2 in 5 epochs, then falls.
 * val large = LinearScaling(0.1, 256, 8192, warmUpIterations = 5 * iterationsPerEpoch)
 * SGD(large.startRate, momentum = 0.9, common = Common(
 *   schedule = Some(large.schedule(Cosine(85 * iterationsPerEpoch)))))
 * }}}
 *
 * @param baseRate
 *   Rate that is good for batches of `baseBatch`.
 * @param baseBatch
 *   The small batch; at least 1.
 * @param batch
 *   The large batch; at least 1.
 * @param warmUpIterations
 *   Iterations in which the rate rises from `baseRate`; 0 is none.
 */
final case class LinearScaling(
    baseRate: Double,
    baseBatch: Int,
    batch: Int,
    warmUpIterations: Long = 0
) {
  require(baseBatch > 0, s"LinearScaling: baseBatch is $baseBatch, expected at least 1")
  require(batch > 0, s"LinearScaling: batch is $batch, expected at least 1")
  require(
    warmUpIterations >= 0,
    s"LinearScaling: warmUpIterations is $warmUpIterations, expected at least 0"
  )

  /** `baseRate · batch / baseBatch`. */
  def rate: Double = baseRate * batch / baseBatch

  private def warms: Boolean = warmUpIterations > 0 && rate > baseRate

  /** The `learningRate` to give to the optimizer: [[rate]], or `baseRate` if it is warmed up. */
  def startRate: Double = if (warms) baseRate else rate

  /** The warm-up, then `after`, which starts from [[rate]]. */
  def schedule(after: Schedule = Fixed()): Schedule =
    if (!warms) after
    else
      SequentialSchedule()
        .add(Warmup((rate - baseRate) / warmUpIterations), warmUpIterations)
        .add(after, 1)
}
