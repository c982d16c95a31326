//! Drops nodes of which no output or result depends.

use crate::graph::Graph;

pub(super) fn run(graph: &mut Graph) {
    let mut used = vec![false; graph.values.len()];
    graph.roots().for_each(|v| used[v.0] = true);
    let mut removed = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        if node.dst.iter().any(|v| used[v.0]) {
            node.src.iter().for_each(|v| used[v.0] = true);
        } else {
            removed[index] = true;
        }
    }
    super::remove(graph, &removed);
}
