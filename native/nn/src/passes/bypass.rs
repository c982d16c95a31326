//! Leaves out nodes that hand their source on as it is: dropout of inference, `Identity`.

use super::{consumers, is_root, replace};
use crate::graph::Graph;
use crate::ops::Identity;
use std::any::Any;

pub(super) fn run(graph: &mut Graph) {
    let consumers = consumers(graph);
    let mut replaced: Vec<_> = graph.values().collect();
    for node in &graph.nodes {
        let mut others = node.dst.iter().skip(1);
        let unused = others.all(|v| consumers[v.0].is_empty() && !is_root(graph, *v));
        let identity = (&*node.op as &dyn Any).is::<Identity>();
        if (identity || node.op.passes_through()) && unused {
            replaced[node.dst[0].0] = replaced[node.src[0].0];
        }
    }
    replace(graph, &replaced);
}
