//! Computes what two nodes would compute alike only once.

use super::replace;
use crate::graph::{Graph, Source, ValueId};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn run(graph: &mut Graph) {
    let mut replaced: Vec<ValueId> = graph.values().collect();
    let mut constants = HashMap::new();
    for value in graph.values() {
        if let Source::Constant(tensor) = &graph.values[value.0].source {
            replaced[value.0] = *constants.entry(Arc::as_ptr(tensor)).or_insert(value);
        }
    }
    // An op's settings are what its debug form shows.
    let mut known: HashMap<(String, Vec<ValueId>), Vec<ValueId>> = HashMap::new();
    for node in &graph.nodes {
        if !node.op.is_deterministic() {
            continue;
        }
        let src = node.src.iter().map(|v| replaced[v.0]).collect();
        let first = known.entry((format!("{:?}", node.op), src)).or_insert(node.dst.clone());
        for (&value, &first) in node.dst.iter().zip(&*first) {
            replaced[value.0] = first;
        }
    }
    replace(graph, &replaced);
}
