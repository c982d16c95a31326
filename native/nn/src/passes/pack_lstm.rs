//! Brings the weights of an LSTM that only predicts into the order in which they are read. That is
//! done in the prologue, once per set of weights.

use super::{consumers, is_root};
use crate::graph::{Graph, Node, Source, Value, ValueId};
use crate::ops::recurrent::LSTM;
use crate::{Op, TensorType};
use std::any::Any;
use std::sync::Arc;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    for index in (0..graph.nodes.len()).rev() {
        let node = graph.nodes[index].clone();
        let Some(lstm) = (&*node.op as &dyn Any).downcast_ref::<LSTM>() else { continue };
        let unused = |v: &ValueId| consumers[v.0].is_empty() && !is_root(graph, *v);
        let types: Vec<&TensorType> = node.src.iter().map(|&v| graph.tensor_type(v)).collect();
        let kept =
            |&v: &ValueId| !matches!(graph.values[v.0].source, Source::Node(_) | Source::Input);
        let Some((pack, packed, weights)) = lstm.packed(&types) else { continue };
        let weights: Vec<ValueId> = weights.into_iter().map(|i| node.src[i]).collect();
        if !node.dst[3..].iter().all(unused) || !weights.iter().all(kept) {
            continue;
        }
        let types: Vec<&TensorType> = weights.iter().map(|&v| graph.tensor_type(v)).collect();
        let Ok(made) = pack.infer(&types) else { continue };
        let ty = made[0].clone();
        graph.values.push(Value { ty, source: Source::Node(index) });
        let value = ValueId(graph.values.len() - 1);
        let mut src = vec![node.src[0], value];
        src.extend(node.src.iter().skip(1 + weights.len()));
        let dst = node.dst[..3].to_vec();
        graph.nodes[index] = Node { name: node.name.clone(), op: Arc::new(packed), src, dst };
        let pack = Node { name: node.name, op: Arc::new(pack), src: weights, dst: vec![value] };
        graph.nodes.insert(index, pack);
    }
}
