//! Attributes of a node, and those that a function's nodes take from its caller.

use super::proto::{AttributeProto, GraphProto, NodeProto};
use std::collections::HashMap;

/// The attribute of this name.
pub(super) fn find<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name() == name)
}

/// Attributes by name.
pub(super) type Attributes<'a> = HashMap<&'a str, &'a AttributeProto>;

/// The nodes of a function with the caller's attributes in place of references to them; a
/// reference to an attribute that the caller does not give is no attribute.
pub(super) fn resolve(nodes: &[NodeProto], given: &Attributes<'_>) -> Vec<NodeProto> {
    nodes.iter().map(|node| resolve_node(node, given)).collect()
}

fn resolve_node(node: &NodeProto, given: &Attributes<'_>) -> NodeProto {
    let attribute = node.attribute.iter().filter_map(|attribute| {
        if !attribute.ref_attr_name().is_empty() {
            let found = *given.get(attribute.ref_attr_name())?;
            return Some(AttributeProto { name: attribute.name.clone(), ..found.clone() });
        }
        let mut attribute = attribute.clone();
        if let Some(graph) = &mut attribute.g {
            **graph = GraphProto { node: resolve(&graph.node, given), ..(**graph).clone() };
        }
        Some(attribute)
    });
    NodeProto { attribute: attribute.collect(), ..node.clone() }
}
