//! Makes one step of softmax(q · kᵀ) · v as ONNX's exporters write it: products, scalings, a mask,
//! and the moves that put the heads apart and together again.

use super::{consumers, is, maker, only_consumer, scaled};
use crate::graph::{Graph, Node, ValueId};
use crate::ops::attention::fused::{Fused, Strided};
use crate::ops::{Add, MatMul, Softmax};
use crate::{Op, evaluate};
use std::sync::Arc;
use tensor::{DType, Tensor};

/// Ops that only move elements of their first source.
const MOVES: [&str; 9] = [
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// Larger values are not traced: that takes a number per element.
const MOST: usize = 1 << 25;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    for index in 0..graph.nodes.len() {
        if let Some((last, node)) = fused(graph, &consumers, index) {
            graph.nodes[last] = node;
        }
    }
}

/// The fused step around the softmax at `index`, and the number of the node in whose place it is.
fn fused(graph: &Graph, consumers: &[Vec<usize>], index: usize) -> Option<(usize, Node)> {
    let softmax = &graph.nodes[index];
    let axis = is::<Softmax>(&softmax.op)?.axis;
    if graph.shape(softmax.src[0]).rank() != 4 || ![-1, 3].contains(&axis) {
        return None;
    }
    let only = |value| only_consumer(graph, consumers, value);
    // Backwards: the mask, the factor, the product of queries and keys.
    let mut scores = softmax.src[0];
    let (mut scale, mut mask) = (1.0, None);
    let product = loop {
        only(scores)?;
        let node = &graph.nodes[maker(graph, scores)?];
        if let Some((value, factor)) = scaled(graph, node) {
            (scores, scale) = (value, scale * factor);
        } else if is::<Add>(&node.op).is_some_and(|add| add.activation.is_none()) {
            // A factor behind the mask would scale that too.
            let at = node.src.iter().position(|&v| graph.shape(v) == graph.shape(scores))?;
            if mask.replace(node.src[1 - at]).is_some() || scale != 1.0 {
                return None;
            }
            scores = node.src[at];
        } else {
            break node;
        }
    };
    if !is_product(&product.op) {
        return None;
    }
    let q = trace(graph, product.src[0])?;
    let k = trace(graph, product.src[1])?;
    // Forwards: the product with the values, and where its numbers go.
    let next = only(softmax.dst[0])?;
    let with_values = &graph.nodes[next];
    if !is_product(&with_values.op) || with_values.src[0] != softmax.dst[0] {
        return None;
    }
    let v = trace(graph, with_values.src[1])?;
    if v.factor != 1.0 {
        return None;
    }
    let (mut last, mut y) = (next, with_values.dst[0]);
    let mut moves = Vec::new();
    while let Some(node) = only(y).filter(|&at| moves_only(graph, &graph.nodes[at])) {
        let [to] = graph.nodes[node].dst[..] else { break };
        if graph.nodes[node].src[0] != y || graph.shape(to).len() != graph.shape(y).len() {
            break;
        }
        moves.push((node, 0));
        (last, y) = (node, to);
    }
    let made = graph.shape(with_values.dst[0]).clone();
    let y_places = follow(graph, &made, &moves)?;
    let mut inverse = vec![0; y_places.len()];
    for (to, &from) in y_places.get::<i64>().ok()?.iter().enumerate() {
        *inverse.get_mut(from as usize)? = to as i64;
    }
    let dims = |value: ValueId| <[usize; 4]>::try_from(graph.shape(value).dims()).ok();
    let ([batch, heads, s, e], [b, h, _, t]) = (dims(product.src[0])?, dims(product.src[1])?);
    let [_, v_heads, _, f] = dims(with_values.src[1])?;
    if (b, h, v_heads) != (batch, heads, heads) || dims(scores)? != [batch, heads, s, t] {
        return None;
    }
    let op = Fused::new(Strided {
        sizes: [batch, heads, s, t, e, f],
        q: affine(q.places.get().ok()?, [batch, heads, s, e])?,
        k: swapped(affine(k.places.get().ok()?, [batch, heads, e, t])?),
        v: affine(v.places.get().ok()?, [batch, heads, t, f])?,
        y: affine(&inverse, [batch, heads, s, f])?,
        scale: scale * q.factor * k.factor,
        mask: mask.map(|mask| graph.shape(mask).clone()),
        dst: graph.shape(y).clone(),
    })?;
    let mut src = vec![q.base, k.base, v.base];
    src.extend(mask);
    if src.iter().any(|&value| graph.tensor_type(value).dtype != DType::F32) {
        return None;
    }
    let name = softmax.name.clone();
    Some((last, Node { name, op: Arc::new(op), src, dst: vec![y] }))
}

fn is_product(op: &Arc<dyn Op>) -> bool {
    is::<MatMul>(op).is_some_and(|product| *product == MatMul::default())
}

/// Where the elements of a value come from, and what they are multiplied with.
struct Trace {
    base: ValueId,
    factor: f32,
    /// For each element its place in `base`.
    places: Tensor,
}

fn trace(graph: &Graph, value: ValueId) -> Option<Trace> {
    let (mut base, mut factor, mut moves) = (value, 1.0, Vec::new());
    while let Some(at) = maker(graph, base) {
        let node = &graph.nodes[at];
        if let Some((from, by)) = scaled(graph, node) {
            (base, factor) = (from, factor * by);
        } else if moves_only(graph, node) {
            moves.push((at, node.dst.iter().position(|&dst| dst == base)?));
            base = node.src[0];
        } else {
            break;
        }
    }
    moves.reverse();
    let places = follow(graph, &graph.shape(base).clone(), &moves)?;
    Some(Trace { base, factor, places })
}

/// True if a node moves the elements of its first source as its settings and constants say.
fn moves_only(graph: &Graph, node: &Node) -> bool {
    MOVES.contains(&node.op.name()) && node.src[1..].iter().all(|&v| graph.known(v).is_some())
}

/// The places of the elements of a shape after moves: nodes, and which of their outputs.
fn follow(graph: &Graph, shape: &tensor::Shape, moves: &[(usize, usize)]) -> Option<Tensor> {
    if shape.len() > MOST {
        return None;
    }
    let places: Vec<i64> = (0..shape.len() as i64).collect();
    let mut places = Tensor::new(shape.clone(), places).ok()?;
    for &(at, output) in moves {
        let node = &graph.nodes[at];
        let rest: Option<Vec<_>> = node.src[1..].iter().map(|&v| graph.known(v)).collect();
        let rest = rest?;
        let mut src = vec![&places];
        src.extend(rest.iter().map(|tensor| &***tensor));
        places = evaluate(&node.op, &src).ok()?.swap_remove(output);
    }
    Some(places)
}

/// Offset and strides of places that go up evenly along each of four dimensions.
fn affine(places: &[i64], dims: [usize; 4]) -> Option<[usize; 5]> {
    let mut apart = [0; 5];
    apart[0] = *places.first()?;
    let mut inner = 1;
    for d in (0..4).rev() {
        if dims[d] > 1 {
            apart[d + 1] = places.get(inner)? - apart[0];
        }
        inner *= dims[d];
    }
    let mut index = [0; 4];
    for &place in places {
        let even: i64 = index.iter().zip(&apart[1..]).map(|(i, apart)| i * apart).sum();
        if place != apart[0] + even {
            return None;
        }
        for d in (0..4).rev() {
            index[d] += 1;
            if index[d] < dims[d] as i64 {
                break;
            }
            index[d] = 0;
        }
    }
    let apart: Result<Vec<usize>, _> = apart.iter().map(|&apart| apart.try_into()).collect();
    apart.ok()?.try_into().ok()
}

/// The same places with the last two dimensions exchanged.
fn swapped([offset, batch, head, a, b]: [usize; 5]) -> [usize; 5] {
    [offset, batch, head, b, a]
}
