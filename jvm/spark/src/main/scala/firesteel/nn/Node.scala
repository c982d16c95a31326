package firesteel.nn

import java.util.concurrent.atomic.AtomicLong

/** An input of a model or the result of a layer. */
final class Node private[nn] (
    private[nn] val source: Either[Layer, Input.Shape],
    private[nn] val inputs: Seq[Node]
) {

  /** Nodes are made after their inputs, so that this order is one in which they can be computed. */
  private[nn] val order: Long = Node.count.getAndIncrement()

  private[nn] def givenName: String = source.fold(_.name, _.name)

  private[nn] def baseName: String = source.fold(_.baseName, _ => "input")
}

private[nn] object Node {
  private val count = new AtomicLong()

  def unapply(node: Node): Some[Either[Layer, Input.Shape]] = Some(node.source)
}
