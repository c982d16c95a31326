//! Adds the other operand of a sum inside the op that makes one of them (a post-op of its
//! primitive), if nobody else needs that one: the sum behind a residual block.

use super::{consumers, is_root, remove};
use crate::graph::Graph;
use crate::ops::Add;
use std::any::Any;
use tensor::DType;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut removed = vec![false; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let add = (&*node.op as &dyn Any).downcast_ref::<Add>();
        let &[a, b] = &node.src[..] else { continue };
        let same = graph.tensor_type(a) == graph.tensor_type(b);
        let f32 = graph.tensor_type(a).dtype == DType::F32;
        if add.is_none_or(|add| add.activation.is_some()) || a == b || !same || !f32 {
            continue;
        }
        // The later of two candidates: what it writes is read at once.
        let maker = |value| {
            let maker = graph.nodes.iter().rposition(|node| node.dst[0] == value)?;
            let fits = consumers[value.0].len() == 1 && !is_root(graph, value) && !removed[maker];
            Some((maker, graph.nodes[maker].op.with_sum().filter(|_| fits)?))
        };
        let makers = [(maker(a), b), (maker(b), a)];
        let found = makers.into_iter().filter_map(|(maker, other)| Some((maker?, other)));
        let Some(((maker, op), other)) = found.max_by_key(|((maker, _), _)| *maker) else {
            continue;
        };
        let mut src = graph.nodes[maker].src.clone();
        src.push(other);
        graph.nodes[index].name = graph.nodes[maker].name.clone();
        (graph.nodes[index].op, graph.nodes[index].src) = (op, src);
        removed[maker] = true;
    }
    remove(graph, &removed);
}
