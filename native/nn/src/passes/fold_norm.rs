//! Multiplies the weights before a normalization by given statistics with its factors, so that
//! the normalization takes no step of its own. The folded weights are made in the prologue.

use super::{consumers, is_root, remove};
use crate::error::expect_operands;
use crate::graph::{Graph, Node, Source, Value, ValueId};
use crate::op::Op;
use crate::ops::BatchNormalization;
use crate::tensor_type::float_types;
use crate::{Compiler, Error, OpError, TensorType};
use std::any::Any;
use std::sync::Arc;
use tensor::{DType, Shape};

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    let mut folded: Vec<(usize, Node)> = Vec::new();
    for index in 0..graph.nodes.len() {
        let value = graph.nodes[index].dst[0];
        let [next] = consumers[value.0][..] else { continue };
        let Some(fold) = fold(graph, index, next) else { continue };
        if is_root(graph, value) {
            continue;
        }
        let made = [graph.nodes[index].src[1], graph.nodes[next].src[2]].map(|like| {
            let ty = graph.tensor_type(like).clone();
            graph.values.push(Value { ty, source: Source::Node(index) });
            ValueId(graph.values.len() - 1)
        });
        let norm = graph.nodes[next].clone();
        let node = &mut graph.nodes[index];
        let mut src = vec![node.src[1]];
        src.extend(&norm.src[1..]);
        src.extend(node.src.get(2));
        let name = format!("{}/{}", norm.name, fold.name());
        folded.push((index, Node { name, op: Arc::new(fold), src, dst: made.to_vec() }));
        node.src.truncate(1);
        node.src.extend(made);
        node.dst[0] = norm.dst[0];
        removed[next] = true;
    }
    remove(graph, &removed);
    // The folding stands before what it is folded into; all nodes removed stood behind.
    for (index, node) in folded.into_iter().rev() {
        let at = index - removed[..index].iter().filter(|&&removed| removed).count();
        graph.nodes.insert(at, node);
    }
}

/// How node `next`, if it is a normalization, is folded into the weights of node `index`.
fn fold(graph: &Graph, index: usize, next: usize) -> Option<Fold> {
    let node = &graph.nodes[index];
    let shapes: Vec<&Shape> = node.src.iter().map(|&v| graph.shape(v)).collect();
    let axis = node.op.channels_of_weights(&shapes)?;
    let norm = (&*graph.nodes[next].op as &dyn Any).downcast_ref::<BatchNormalization>()?;
    let kept = |&v: &ValueId| {
        let kept = matches!(graph.values[v.0].source, Source::Parameter(_) | Source::Constant(_));
        kept && graph.tensor_type(v).dtype == DType::F32
    };
    let fits = !norm.training
        && graph.nodes[next].src[0] == node.dst[0]
        && node.src[1..].iter().chain(&graph.nodes[next].src[1..]).all(kept);
    fits.then_some(Fold { axis, epsilon: norm.epsilon })
}

/// w' = w · f along the output channels and b' = (b − mean) · f + bias with
/// f = scale / √(var + epsilon). Sources: w; scale, bias, mean, var \[c\]; b \[c\] (optional).
#[derive(Clone, Debug)]
struct Fold {
    /// Axis of the output channels in w.
    axis: usize,
    epsilon: f32,
}

impl Op for Fold {
    fn name(&self) -> &'static str {
        "FoldBatchNormalization"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 5..=6)?;
            Ok(vec![src[0].clone(), src[1].clone()])
        })
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let dims = compiler.src_shape(0).dims();
        let (channels, inner) = (dims[self.axis], dims[self.axis + 1..].iter().product::<usize>());
        let epsilon = f64::from(self.epsilon);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let at = |i: usize, c: usize| f64::from(src[i][c]);
            let factor = |c: usize| at(1, c) / (at(4, c) + epsilon).sqrt();
            let planes = dst[0].chunks_exact_mut(inner).zip(src[0].chunks_exact(inner));
            for (i, (to, from)) in planes.enumerate() {
                let factor = factor(i % channels);
                to.iter_mut().zip(from).for_each(|(to, &w)| *to = (f64::from(w) * factor) as f32);
            }
            for (c, to) in dst[1].iter_mut().enumerate() {
                let bias = if src.len() == 6 { at(5, c) } else { 0.0 };
                *to = ((bias - at(3, c)) * factor(c) + at(2, c)) as f32;
            }
        })
    }
}
