//! Makes the product of a sequence with a matrix, and the bias behind it, one product of two
//! matrices: a dense layer as ONNX's exporters write it.

use super::{consumers, is_root, remove};
use crate::TensorType;
use crate::graph::{Graph, Node, Source, Value, ValueId};
use crate::ops::{Add, Gemm, MatMul, Reshape};
use std::any::Any;
use std::sync::Arc;
use tensor::DType;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    let mut made: Vec<(usize, Vec<Node>)> = Vec::new();
    for index in 0..graph.nodes.len() {
        let node = graph.nodes[index].clone();
        let product = (&*node.op as &dyn Any).downcast_ref::<MatMul>();
        if product.is_none_or(|product| *product != MatMul::default()) {
            continue;
        }
        let (&[a, b], &[y]) = (&node.src[..], &node.dst[..]) else { continue };
        let (a_dims, b_dims) = (graph.shape(a).dims().to_vec(), graph.shape(b).dims().to_vec());
        let (&[k, n], Some((&inner, rows))) = (&b_dims[..], a_dims.split_last()) else { continue };
        let f32 = [a, b].iter().all(|&v| graph.tensor_type(v).dtype == DType::F32);
        if rows.is_empty() || inner != k || graph.shape(y).dims().last() != Some(&n) || !f32 {
            continue;
        }
        let m = rows.iter().product();
        let bias = bias(graph, &consumers, y, n);
        let mut src = vec![value(graph, &[m, k], index), b];
        src.extend(bias.map(|(_, bias)| bias));
        let product = value(graph, &[m, n], index);
        let last = bias.map_or(y, |(add, _)| graph.nodes[add].dst[0]);
        let reshape = |dims: &[usize]| Reshape { shape: dims.iter().map(|&d| d as i64).collect() };
        let step = |op: Arc<dyn crate::Op>, src: Vec<ValueId>, dst: ValueId| Node {
            name: node.name.clone(),
            op,
            src,
            dst: vec![dst],
        };
        let flat = src[0];
        let steps = vec![
            step(Arc::new(reshape(&[m, k])), vec![a], flat),
            step(Arc::new(Gemm::default()), src, product),
            step(Arc::new(reshape(graph.shape(last).dims())), vec![product], last),
        ];
        removed[index] = true;
        if let Some((add, _)) = bias {
            removed[add] = true;
        }
        made.push((index, steps));
    }
    for (index, steps) in made.into_iter().rev() {
        graph.nodes.splice(index..index, steps.clone());
        removed.splice(index..index, steps.iter().map(|_| false));
    }
    remove(graph, &removed);
}

/// The sum behind a value with a number per column, if nobody else reads it: node and numbers. Both
/// are there before the product.
fn bias(
    graph: &Graph,
    consumers: &[Vec<usize>],
    value: ValueId,
    columns: usize,
) -> Option<(usize, ValueId)> {
    let [next] = consumers[value.0][..] else { return None };
    let node = &graph.nodes[next];
    let add = (&*node.op as &dyn Any).downcast_ref::<Add>()?;
    let &[a, b] = &node.src[..] else { return None };
    let other = if a == value { b } else { a };
    let kept = !matches!(graph.values[other.0].source, Source::Node(_));
    let fits = add.activation.is_none() && graph.shape(other).dims() == [columns];
    (fits && kept && !is_root(graph, value)).then_some((next, other))
}

/// A new f32 value.
fn value(graph: &mut Graph, dims: &[usize], node: usize) -> ValueId {
    let ty = TensorType::new(DType::F32, dims.to_vec());
    graph.values.push(Value { ty, source: Source::Node(node) });
    ValueId(graph.values.len() - 1)
}
