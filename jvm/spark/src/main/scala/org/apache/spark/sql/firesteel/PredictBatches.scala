package org.apache.spark.sql.firesteel

import scala.collection.mutable.ArrayBuffer

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project, UnaryNode}
import org.apache.spark.sql.catalyst.plans.physical.Partitioning
import org.apache.spark.sql.classic
import org.apache.spark.sql.execution.{SparkPlan, SparkStrategy, UnaryExecNode}
import org.apache.spark.sql.types.DataType

// A DataFrame operator that sees rows in batches, in Spark's own row format: `mapPartitions` of the
// public API turns every number of every column into an object and back. Making a DataFrame of an
// operator is private to org.apache.spark.sql, hence the package.

/** Predicts batches of rows; sent to the executors. */
trait BatchPredictor extends Serializable {

  /** Columns it needs, in this order. */
  def features: Seq[String]

  /** Type of a prediction. */
  def dataType: DataType

  /** Begins a partition; what it holds is freed with the task. */
  def open(context: TaskContext): PartitionPredictor
}

/** Predicts the rows of one partition. */
trait PartitionPredictor {

  /** Rows of a batch. */
  def batchSize: Int

  /** Adds a row of the features to the batch. */
  def add(features: InternalRow): Unit

  /** Predicts the rows of the batch and begins the next one; Catalyst values. */
  def predict(): IndexedSeq[Any]
}

object PredictBatches {

  /** `dataset` with one more column. Nothing runs until the result is used; streams are welcome. */
  def apply(dataset: Dataset[_], column: String, predictor: BatchPredictor): DataFrame =
    dataset match {
      case local: classic.Dataset[_] =>
        val session = local.sparkSession
        if (!session.experimental.extraStrategies.contains(PredictStrategy)) {
          session.experimental.extraStrategies ++= Seq(PredictStrategy)
        }
        val plan = local.queryExecution.analyzed
        val resolver = session.sessionState.conf.resolver
        val features = predictor.features.map { name =>
          plan.output.find(attribute => resolver(attribute.name, name)).getOrElse(
            throw new IllegalArgumentException(
              s"""column "$name": expected among ${dataset.columns.mkString("[", ", ", "]")}."""
            )
          )
        }
        val prediction = AttributeReference(column, predictor.dataType, nullable = false)()
        // The alias gets a new id where the result is joined with itself; the node's own would clash.
        val output = plan.output :+ Alias(prediction, column)()
        val node = PredictNode(plan, features, prediction, predictor)
        classic.Dataset.ofRows(session, Project(output, node))
      case other =>
        throw new UnsupportedOperationException(
          s"transform: expected a DataFrame of a classic Spark session, got " +
            s"${other.getClass.getName}. Predict where the Spark driver is, not over Spark Connect."
        )
    }
}

private[firesteel] final case class PredictNode(
    child: LogicalPlan,
    features: Seq[Attribute],
    prediction: Attribute,
    predictor: BatchPredictor
) extends UnaryNode {
  override def output: Seq[Attribute] = child.output :+ prediction
  override def producedAttributes: AttributeSet = AttributeSet(prediction)
  @transient override lazy val references: AttributeSet = AttributeSet(features)
  override protected def withNewChildInternal(newChild: LogicalPlan): LogicalPlan =
    copy(child = newChild)
}

private[firesteel] object PredictStrategy extends SparkStrategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case PredictNode(child, features, prediction, predictor) =>
      Seq(PredictExec(planLater(child), features, prediction, predictor))
    case _ => Nil
  }
}

private[firesteel] final case class PredictExec(
    child: SparkPlan,
    features: Seq[Attribute],
    prediction: Attribute,
    predictor: BatchPredictor
) extends UnaryExecNode {
  override def output: Seq[Attribute] = child.output :+ prediction
  override def producedAttributes: AttributeSet = AttributeSet(prediction)
  @transient override lazy val references: AttributeSet = AttributeSet(features)
  override def outputPartitioning: Partitioning = child.outputPartitioning
  override def outputOrdering: Seq[SortOrder] = child.outputOrdering
  override protected def withNewChildInternal(newChild: SparkPlan): SparkPlan =
    copy(child = newChild)

  override protected def doExecute(): RDD[InternalRow] = {
    val (in, out, wanted, batches) = (child.output, output, features, predictor)
    child.execute().mapPartitions { rows =>
      val opened = batches.open(TaskContext.get())
      val select = UnsafeProjection.create(wanted, in)
      val join = UnsafeProjection.create(out, out)
      new PredictingIterator(rows, opened, select, join)
    }
  }
}

/** Takes a batch of rows, predicts, gives them with their predictions, takes the next batch. */
private final class PredictingIterator(
    rows: Iterator[InternalRow],
    predictor: PartitionPredictor,
    select: UnsafeProjection,
    join: UnsafeProjection
) extends Iterator[InternalRow] {
  private val batch = new ArrayBuffer[InternalRow](predictor.batchSize)
  private var predictions: IndexedSeq[Any] = IndexedSeq.empty
  private var position = 0
  private val joined = new JoinedRow

  override def hasNext: Boolean = position < batch.length || rows.hasNext

  override def next(): InternalRow = {
    if (position == batch.length) fill()
    val row = joined(batch(position), new GenericInternalRow(Array(predictions(position))))
    position += 1
    join(row)
  }

  private def fill(): Unit = {
    batch.clear()
    position = 0
    while (batch.length < predictor.batchSize && rows.hasNext) {
      val row = rows.next()
      predictor.add(select(row))
      batch += row.copy()
    }
    predictions = predictor.predict()
  }
}
