//! Runs the ReLU behind a training batch normalization inside it, and the ReLU's gradient inside
//! the normalization's, if nobody else needs the values between them.

use super::{consumers, is, only_consumer, remove};
use crate::Activation;
use crate::graph::{Graph, Source, Value, ValueId};
use crate::ops::{
    ActivationBackward, BatchNormalization, BatchNormalizationBackward, BatchNormalizationRelu,
    Relu,
};
use std::sync::Arc;
use tensor::DType;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        let Some(found) = Pattern::at(graph, &consumers, index) else { continue };
        let Pattern { norm, relu, relu_backward, norm_backward } = found;
        let ty = graph.tensor_type(graph.nodes[index].src[0]).clone();
        graph.values.push(Value { ty, source: Source::Node(index) });
        let workspace = ValueId(graph.values.len() - 1);
        let y = graph.nodes[relu].dst[0];
        let dy = graph.nodes[relu_backward].src[1];

        let forward = &mut graph.nodes[index];
        forward.op = Arc::new(BatchNormalizationRelu { norm: norm.clone() });
        forward.dst[0] = y;
        forward.dst.push(workspace);
        let backward = &mut graph.nodes[norm_backward];
        backward.op = Arc::new(BatchNormalizationBackward { norm, relu: true });
        backward.src[1] = dy;
        backward.src.push(workspace);
        removed[relu] = true;
        removed[relu_backward] = true;
    }
    remove(graph, &removed);
}

/// A training normalization, the ReLU behind it and the gradients of both.
struct Pattern {
    norm: BatchNormalization,
    relu: usize,
    relu_backward: usize,
    norm_backward: usize,
}

impl Pattern {
    fn at(graph: &Graph, consumers: &[Vec<usize>], index: usize) -> Option<Pattern> {
        let node = &graph.nodes[index];
        let norm = is::<BatchNormalization>(&node.op).filter(|norm| norm.training)?;
        if graph.tensor_type(node.src[0]).dtype != DType::F32 {
            return None;
        }
        let relu = only_consumer(graph, consumers, node.dst[0])?;
        if graph.nodes[relu].op.as_activation() != Some(Activation::Relu) {
            return None;
        }
        let y = graph.nodes[relu].dst[0];
        // y may have many readers; of the gradient of its ReLU there is at most one node.
        let relu_backward = consumers[y.0].iter().copied().find(|&reader| {
            let reader = &graph.nodes[reader];
            is::<ActivationBackward<Relu>>(&reader.op).is_some() && reader.src[0] == y
        })?;
        let norm_backward = only_consumer(graph, consumers, graph.nodes[relu_backward].dst[0])?;
        let backward = &graph.nodes[norm_backward];
        is::<BatchNormalizationBackward>(&backward.op)?;
        (backward.src[3] == node.dst[3]).then(|| Pattern {
            norm: norm.clone(),
            relu,
            relu_backward,
            norm_backward,
        })
    }
}
