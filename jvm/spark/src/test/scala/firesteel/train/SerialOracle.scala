package firesteel.train

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.XXH64
import org.apache.spark.sql.classic
import org.apache.spark.unsafe.Platform

import firesteel.jni._

/** Weights and optimizer state after an epoch, as SHA-256 of their bits. */
private[train] final case class OracleEpoch(weightsHash: String, stateHash: String)

/**
 * What the weights of a training must be, to the bit: the same definition, rows and settings in one
 * thread, without executors, slices or messages.
 *
 * Every shard has a worker of its own, which gives the gradient of that shard alone; the whole vector
 * is one slice, updated by one optimizer.
 */
private[train] object SerialOracle {

  /** Trains on all rows; one result per epoch. */
  def train(rows: TrainingRows, settings: TrainingSettings): IndexedSeq[OracleEpoch] = {
    val shards = settings.shards.get
    val native = new Closing
    try {
      val model = native.add(NativeModel.define(settings.definition))
      val optimizer = native.add(new NativeOptimizer(model, settings.optimizer))
      val data = records(rows).groupBy(shardOf(_, shards))
      val datasets = (0 until shards).map { shard =>
        val dataset = native.add(new NativeDataset(model, settings.loss))
        data.getOrElse(shard, Nil).foreach(record => dataset.append(record, record.length))
        dataset.seal()
        dataset
      }
      val workers = datasets.zipWithIndex.map { case (dataset, shard) =>
        val worker = native.add(new NativeWorker(model, settings.loss, 1, settings.seed))
        worker.setShard(shard, dataset)
        worker
      }
      val weights = Array.fill(2)(native.add(new NativeBuffer(model.parameterCount * 4)))
      val states =
        Array.fill(2)(native.add(new NativeBuffer(optimizer.slots * model.parameterCount * 4)))
      model.initialWeights(settings.seed, weights(0))

      val roots = (0 until shards).flatMap(shard => Seq(shard, 0)).toArray
      val offsets = new Array[Long](shards)
      val plan = new EpochPlan(datasets.map(_.rows), settings.batchSize)
      (0 until settings.epochs).map { epoch =>
        plan.steps(beginning(plan, epoch)).foreach { step =>
          val now = (step.iteration % 2).toInt
          val gradients = workers.map(gradient(_, weights(now), shards, step)).toArray
          val sums = optimizer.partialSums(
            0,
            1,
            shards,
            step.iteration,
            roots,
            gradients,
            offsets,
            weights(now),
            states(now)
          )
          optimizer.update(
            0,
            1,
            shards,
            step.iteration,
            1.0,
            sums,
            roots,
            gradients,
            offsets,
            weights(now),
            states(now),
            weights(1 - now),
            states(1 - now)
          )
          gradients.foreach(_.close())
        }
        val last = (plan.length * (epoch + 1)) % 2
        OracleEpoch(
          weights(last).sha256(model.parameterCount),
          states(last).sha256(optimizer.slots * model.parameterCount)
        )
      }
    } finally native.close()
  }

  /** The state in which an epoch begins. */
  private def beginning(plan: EpochPlan, epoch: Int): TrainingState = {
    val length = plan.length.toLong
    TrainingState(length, iteration = epoch * length, epoch = epoch.toLong)
  }

  /** The gradient of a worker's only shard. */
  private def gradient(
      worker: NativeWorker,
      weights: NativeBuffer,
      shards: Int,
      step: Step
  ): NativeBuffer = {
    worker.forwardBackward(
      weights,
      shards,
      step.iteration,
      step.epoch,
      step.index,
      step.of,
      step.count
    )
    worker.gradient(0)
  }

  private def records(rows: TrainingRows): Seq[Array[Byte]] =
    collect(rows).zipWithIndex.map { case (row, number) =>
      val record = new Array[Byte](rows.encoder.recordBytes)
      rows.encoder.encode(row, 0, number.toLong, record, 0)
      record
    }

  private def collect(rows: TrainingRows): Seq[InternalRow] =
    rows.rows.asInstanceOf[classic.Dataset[_]].queryExecution.executedPlan.executeCollect().toSeq

  /** XXH64 of the record modulo S, written out a second time on purpose. */
  private def shardOf(record: Array[Byte], shards: Int): Int = {
    val hash = XXH64.hashUnsafeBytes(record, Platform.BYTE_ARRAY_OFFSET.toLong, record.length, 0L)
    java.lang.Long.remainderUnsigned(hash, shards.toLong).toInt
  }
}
