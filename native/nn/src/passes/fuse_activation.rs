//! Runs an activation inside the op before it (a post-op of its primitive), if nobody else needs
//! the value between them. Gradients of activations read the result, so training fuses too.

use super::{consumers, is_root, remove};
use crate::graph::Graph;
use tensor::DType;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        let value = graph.nodes[index].dst[0];
        let [next] = consumers[value.0][..] else { continue };
        let Some(activation) = graph.nodes[next].op.as_activation() else { continue };
        let f32 = graph.tensor_type(value).dtype == DType::F32;
        if removed[index] || !f32 || is_root(graph, value) {
            continue;
        }
        let Some(fused) = graph.nodes[index].op.with_activation(activation) else { continue };
        graph.nodes[index].op = fused;
        graph.nodes[index].dst[0] = graph.nodes[next].dst[0];
        removed[next] = true;
    }
    remove(graph, &removed);
}
