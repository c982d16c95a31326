//! Runs an activation inside the op before it (a post-op of its primitive), if nobody else needs
//! the value between them. Where the gradient of an activation reads the result, training fuses
//! too.

use super::{consumers, is, only_consumer, remove};
use crate::graph::Graph;
use crate::ops::Reshape;
use tensor::DType;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        let f32 = graph.tensor_type(graph.nodes[index].dst[0]).dtype == DType::F32;
        let Some((last, next)) = next(graph, &consumers, index) else { continue };
        let Some(activation) = graph.nodes[next].op.as_activation() else { continue };
        if removed[index] || !f32 {
            continue;
        }
        let Some(fused) = graph.nodes[index].op.with_activation(activation) else { continue };
        graph.nodes[index].op = fused;
        graph.nodes[last].dst[0] = graph.nodes[next].dst[0];
        removed[next] = true;
    }
    remove(graph, &removed);
}

/// The only reader of what a node makes, whatever the dimensions under which it reads, and the node
/// that gave it those.
fn next(graph: &Graph, consumers: &[Vec<usize>], index: usize) -> Option<(usize, usize)> {
    let mut last = index;
    loop {
        let next = only_consumer(graph, consumers, graph.nodes[last].dst[0])?;
        if is::<Reshape>(&graph.nodes[next].op).is_none() {
            return Some((last, next));
        }
        last = next;
    }
}
