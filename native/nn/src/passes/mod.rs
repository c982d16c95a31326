//! Rewrites of a graph before it is compiled; each keeps what the graph computes.

mod bypass;
mod drop_unused;
mod fold_norm;
mod fuse_activation;
mod fuse_attention;
mod fuse_norm_relu;
mod fuse_sum;
mod matrix_to_gemm;
mod merge_equal;
mod pack_lstm;

use crate::graph::{Graph, ValueId};

/// The graph with needless nodes dropped and neighbours fused.
pub(crate) fn optimize(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    bypass::run(&mut graph);
    merge_equal::run(&mut graph);
    drop_unused::run(&mut graph);
    matrix_to_gemm::run(&mut graph);
    fuse_attention::run(&mut graph);
    drop_unused::run(&mut graph);
    fuse_norm_relu::run(&mut graph);
    fold_norm::run(&mut graph);
    fuse_sum::run(&mut graph);
    fuse_activation::run(&mut graph);
    pack_lstm::run(&mut graph);
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

/// Reads another value in place of each, given by index.
fn replace(graph: &mut Graph, by: &[ValueId]) {
    let sources = graph.nodes.iter_mut().flat_map(|node| &mut node.src);
    let outputs = graph.outputs.iter_mut().map(|output| &mut output.1);
    let results = graph.results.iter_mut().map(|result| &mut result.1);
    sources.chain(outputs).chain(results).for_each(|value| *value = by[value.0]);
}
