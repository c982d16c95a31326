//! Makes one step of ½ · x · (1 + erf(x / √2)), which is how exporters write Gelu for versions of
//! ONNX that have no such op.

use super::{consumers, is, maker, only_consumer, scalar, scaled};
use crate::graph::{Graph, ValueId};
use crate::ops::{Add, Erf, Gelu, Mul};
use std::f32::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    for index in 0..graph.nodes.len() {
        if let Some((last, x)) = gelu(graph, &consumers, index) {
            let node = &mut graph.nodes[last];
            (node.op, node.src) = (Arc::new(Gelu::default()), vec![x]);
        }
    }
}

/// The last node of the Gelu around the erf at `index`, and x.
fn gelu(graph: &Graph, consumers: &[Vec<usize>], index: usize) -> Option<(usize, ValueId)> {
    let only = |value| only_consumer(graph, consumers, value);
    let made = |value| scaled(graph, &graph.nodes[maker(graph, value)?]);
    let erf = &graph.nodes[index];
    is::<Erf>(&erf.op)?;
    only(erf.src[0])?;
    let (x, root) = made(erf.src[0])?;
    // √2 is rounded once, its inverse once more.
    if (root / FRAC_1_SQRT_2 - 1.0).abs() > 2.0 * f32::EPSILON {
        return None;
    }
    let sum = &graph.nodes[only(erf.dst[0])?];
    is::<Add>(&sum.op).filter(|add| add.activation.is_none())?;
    if graph.shape(sum.dst[0]) != graph.shape(x) {
        return None;
    }
    scalar(graph, other(&sum.src, erf.dst[0])).filter(|&one| one == 1.0)?;
    // What the sum is multiplied with, one after the other: ½ and x, or their product.
    let (mut product, mut factor, mut with_x) = (sum.dst[0], 1.0, false);
    loop {
        let last = only(product)?;
        let node = &graph.nodes[last];
        if let Some((_, by)) = scaled(graph, node).filter(|&(value, _)| value == product) {
            factor *= by;
        } else {
            is::<Mul>(&node.op).filter(|_| !with_x)?;
            with_x = true;
            let other = other(&node.src, product);
            if other != x {
                only(other)?;
                factor *= made(other).filter(|&(value, _)| value == x)?.1;
            }
        }
        product = node.dst[0];
        if with_x && factor == 0.5 {
            return Some((last, x));
        }
    }
}

/// The other one of two sources.
fn other(src: &[ValueId], one: ValueId) -> ValueId {
    if src[0] == one { src[1] } else { src[0] }
}
