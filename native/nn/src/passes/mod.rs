//! Rewrites of a graph before it is compiled; each keeps what the graph computes.

mod drop_unused;
mod fuse_activation;
mod fuse_norm_relu;

use crate::graph::{Graph, ValueId};

/// The graph with unused nodes dropped and neighbours fused.
pub(crate) fn optimize(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    drop_unused::run(&mut graph);
    fuse_norm_relu::run(&mut graph);
    fuse_activation::run(&mut graph);
    graph
}

/// Nodes that read each value.
fn consumers(graph: &Graph) -> Vec<Vec<usize>> {
    let mut consumers = vec![Vec::new(); graph.values.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        for value in &node.src {
            consumers[value.0].push(index);
        }
    }
    consumers
}

/// True if a value leaves the graph.
fn is_root(graph: &Graph, value: ValueId) -> bool {
    graph.roots().any(|root| root == value)
}

/// Removes the nodes whose flag is set.
fn remove(graph: &mut Graph, removed: &[bool]) {
    let mut index = 0;
    graph.nodes.retain(|_| {
        index += 1;
        !removed[index - 1]
    });
}
