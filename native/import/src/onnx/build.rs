//! From a model to our graph for concrete input types, by partial evaluation.

use super::attributes::{self, Attributes};
use super::node::Node;
use super::proto::{FunctionProto, GraphProto, NodeProto};
use super::value::Value;
use super::{Error, Unsupported, reader, table, tensors};
use nn::{Graph, TensorType, ValueId};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use tensor::Tensor;

/// Most nodes that loops and functions may be unrolled to.
const MOST_NODES: usize = 1 << 20;

/// Deepest nesting of functions and subgraphs.
const DEEPEST: usize = 64;

/// Versions of the opsets by domain.
pub(super) type Opsets = HashMap<String, i64>;

/// Functions by domain, name and overload.
pub(super) type Functions = HashMap<(String, String, String), FunctionProto>;

/// Names that are visible where a node stands.
pub(super) struct Scope<'s> {
    pub values: HashMap<String, Value>,
    pub outer: Option<&'s Scope<'s>>,
    pub opsets: &'s Opsets,
    /// Begins the names of the nodes.
    pub prefix: String,
}

impl<'s> Scope<'s> {
    /// The scope of a whole model or function.
    pub fn new(opsets: &'s Opsets, prefix: String) -> Scope<'s> {
        Scope { values: HashMap::new(), outer: None, opsets, prefix }
    }

    /// A subgraph's scope.
    pub fn inner<'i>(&'i self, prefix: String) -> Scope<'i> {
        Scope { values: HashMap::new(), outer: Some(self), opsets: self.opsets, prefix }
    }

    /// What a name stands for.
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.outer?.find(name))
    }
}

/// A graph that grows by the nodes of a model.
pub(super) struct Builder<'m> {
    pub graph: Graph,
    pub functions: &'m Functions,
    /// Values of the parameters as the file has them, for nodes that must know them.
    pub initial: HashMap<ValueId, Arc<Tensor>>,
    pub folder: Option<&'m std::path::Path>,
    nodes: usize,
    depth: usize,
}

impl<'m> Builder<'m> {
    pub fn new(
        graph: Graph,
        functions: &'m Functions,
        folder: Option<&'m std::path::Path>,
    ) -> Builder<'m> {
        Builder { graph, functions, initial: HashMap::new(), folder, nodes: 0, depth: 0 }
    }

    /// The value as far as it is known: a constant, or what the file has for a parameter.
    pub fn known(&self, value: ValueId) -> Option<&Tensor> {
        self.graph.known(value).or_else(|| self.initial.get(&value)).map(|tensor| &**tensor)
    }

    /// Adds the nodes of a graph; its inputs are in the scope already.
    pub fn graph(&mut self, graph: &GraphProto, scope: &mut Scope<'_>) -> Result<(), Error> {
        for proto in &graph.initializer {
            let value = self.graph.constant(tensors::read(proto, self.folder)?);
            scope.values.insert(proto.name().into(), value.into());
        }
        for proto in &graph.sparse_initializer {
            let name = proto.values.as_ref().map_or("", |values| values.name());
            let value = self.graph.constant(reader::dense(proto, self.folder)?);
            scope.values.insert(name.into(), value.into());
        }
        self.nodes(&graph.node, scope)
    }

    /// Adds nodes in their order.
    pub fn nodes(&mut self, nodes: &[NodeProto], scope: &mut Scope<'_>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error::Malformed(format!("functions nest deeper than {DEEPEST}")));
        }
        for proto in nodes {
            let made = self.node(proto, scope)?;
            for (name, value) in proto.output.iter().zip(made) {
                if !name.is_empty() {
                    scope.values.insert(name.clone(), value);
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Counts a node, or a turn of a loop, towards what a model may unroll to.
    pub fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Error::Malformed(format!("it unrolls to more than {MOST_NODES} nodes")));
        }
        Ok(())
    }

    /// How many nodes there are so far.
    pub fn place(&self) -> u64 {
        self.nodes as u64
    }

    fn node(&mut self, proto: &NodeProto, scope: &Scope<'_>) -> Result<Vec<Value>, Error> {
        self.count()?;
        let mut node = Node::new(self, proto, scope)?;
        if let Some(function) = node.builder.functions.get(&key(proto)) {
            return node.call(function);
        }
        match table::find(domain(proto), proto.op_type(), node.version) {
            Some(build) => {
                let made = build(&mut node)?;
                match proto.output.iter().skip(made.len()).find(|name| !name.is_empty()) {
                    Some(name) => Err(node.fail(format!("output \"{name}\" is not supported"))),
                    None => Ok(made),
                }
            }
            None => Err(Error::Unsupported(vec![unsupported(proto, node.version)])),
        }
    }
}

impl Node<'_, '_> {
    /// Puts the nodes of a function in place of a call.
    fn call(&mut self, function: &FunctionProto) -> Result<Vec<Value>, Error> {
        let defaults = function.attribute_proto.iter().map(|a| (a.name(), a));
        let mut given: Attributes<'_> = defaults.collect();
        given.extend(self.proto.attribute.iter().map(|a| (a.name(), a)));
        let nodes = attributes::resolve(&function.node, &given);
        let opsets = reader::opsets(&function.opset_import)?;
        let mut scope = Scope::new(&opsets, format!("{}/", self.name));
        for (i, name) in function.input.iter().enumerate() {
            let value = self.src.get(i).cloned().unwrap_or(Value::Nothing);
            scope.values.insert(name.clone(), value);
        }
        self.builder.nodes(&nodes, &mut scope)?;
        let made = function.output.iter().map(|name| {
            scope.find(name).cloned().ok_or_else(|| self.fail(format!("no node makes \"{name}\"")))
        });
        made.collect()
    }
}

/// The domain of a node; ONNX's own is the empty name.
pub(super) fn domain(proto: &NodeProto) -> &str {
    if proto.domain() == "ai.onnx" { "" } else { proto.domain() }
}

/// Under which a node's function is found.
fn key(proto: &NodeProto) -> (String, String, String) {
    (domain(proto).into(), proto.op_type().into(), proto.overload().into())
}

/// The functions of a model.
pub(super) fn functions(protos: Vec<FunctionProto>) -> Functions {
    let key = |f: &FunctionProto| (f.domain().into(), f.name().into(), f.overload().into());
    protos.into_iter().map(|function| (key(&function), function)).collect()
}

/// Name of a node, or of its first output.
pub(super) fn name(proto: &NodeProto) -> &str {
    match proto.name() {
        "" => proto.output.first().map_or("", String::as_str),
        name => name,
    }
}

fn unsupported(proto: &NodeProto, opset: i64) -> Unsupported {
    Unsupported {
        domain: domain(proto).into(),
        op: proto.op_type().into(),
        opset,
        nodes: vec![name(proto).into()],
    }
}

/// Fails with the list of all nodes that have no op here, those of subgraphs and of the functions
/// that are called among them.
pub(super) fn check(graph: &GraphProto, opsets: &Opsets, all: &Functions) -> Result<(), Error> {
    let mut found = BTreeMap::new();
    let mut seen = HashSet::new();
    look(&graph.node, opsets, all, &mut seen, &mut found)?;
    let found: Vec<Unsupported> = found.into_values().collect();
    if found.is_empty() { Ok(()) } else { Err(Error::Unsupported(found)) }
}

type Found = BTreeMap<(String, String), Unsupported>;

fn look(
    nodes: &[NodeProto],
    opsets: &Opsets,
    functions: &Functions,
    seen: &mut HashSet<(String, String, String)>,
    found: &mut Found,
) -> Result<(), Error> {
    for node in nodes {
        for graph in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            look(&graph.node, opsets, functions, seen, found)?;
        }
        let key = key(node);
        if let Some(function) = functions.get(&key) {
            if seen.insert(key) {
                let opsets = reader::opsets(&function.opset_import)?;
                look(&function.node, &opsets, functions, seen, found)?;
            }
            continue;
        }
        let opset = opsets.get(domain(node)).copied().unwrap_or(0);
        if table::find(domain(node), node.op_type(), opset).is_none() {
            let new = unsupported(node, opset);
            found
                .entry((key.0, key.1))
                .and_modify(|known: &mut Unsupported| known.nodes.extend(new.nodes.clone()))
                .or_insert(new);
        }
    }
    Ok(())
}

/// The type of an input as it was given; `what` names it if it does not fit the declaration.
pub(super) fn fits(port: &reader::Port, given: &TensorType) -> Result<(), Error> {
    use reader::Dim;
    let dtype = port.dtype.is_none_or(|dtype| dtype == given.dtype);
    let dims = port.dims.as_ref().is_none_or(|dims| {
        dims.len() == given.dims().len()
            && dims.iter().zip(given.dims()).all(|(declared, &dim)| match declared {
                Dim::Known(declared) => *declared == dim,
                Dim::Named(_) | Dim::Any => true,
            })
    });
    if dtype && dims {
        return Ok(());
    }
    Err(Error::Input {
        name: port.name.clone(),
        problem: format!("expected {port}, got {given}. Give it that type and shape"),
    })
}
