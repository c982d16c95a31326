//! Rewrites of a graph before it is compiled; each keeps what the graph computes.

mod bypass;
mod drop_unused;
mod fold_norm;
mod fuse_activation;
mod fuse_attention;
mod fuse_gelu;
mod fuse_norm_relu;
mod fuse_sum;
mod matrix_to_gemm;
mod merge_equal;
mod pack_lstm;

use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::{Div, Mul};
use std::any::Any;
use std::sync::Arc;

/// The graph with needless nodes dropped and neighbours fused.
pub(crate) fn optimize(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    bypass::run(&mut graph);
    merge_equal::run(&mut graph);
    drop_unused::run(&mut graph);
    fuse_gelu::run(&mut graph);
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

/// The one node that reads a value, if the value does not leave the graph.
fn only_consumer(graph: &Graph, consumers: &[Vec<usize>], value: ValueId) -> Option<usize> {
    let [only] = consumers[value.0][..] else { return None };
    (!is_root(graph, value)).then_some(only)
}

/// The node that makes a value.
fn maker(graph: &Graph, value: ValueId) -> Option<usize> {
    graph.nodes.iter().position(|node| node.dst.contains(&value))
}

/// The op as one of this kind.
fn is<T: Op>(op: &Arc<dyn Op>) -> Option<&T> {
    (&**op as &dyn Any).downcast_ref()
}

/// The only number of a constant.
fn scalar(graph: &Graph, value: ValueId) -> Option<f32> {
    let tensor = graph.known(value).filter(|tensor| tensor.shape().len() == 1)?;
    Some(tensor.get::<f32>().ok()?[0])
}

/// What a node multiplies with a constant factor, and the factor.
fn scaled(graph: &Graph, node: &Node) -> Option<(ValueId, f32)> {
    let &[a, b] = &node.src[..] else { return None };
    let same = |value: ValueId| graph.shape(value) == graph.shape(node.dst[0]);
    if is::<Mul>(&node.op).is_some() {
        let on = |value, by| Some((value, scalar(graph, by).filter(|_| same(value))?));
        return on(a, b).or_else(|| on(b, a));
    }
    is::<Div>(&node.op)?;
    Some((a, 1.0 / scalar(graph, b).filter(|_| same(a))?))
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
