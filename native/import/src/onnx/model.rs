//! A model that was read: what it takes and gives, its weights, and how it runs.

use super::build::{self, Builder, Functions, Scope};
use super::plans::{Compiled, Plans, Way};
use super::reader::{self, Contents, Port};
use super::value::Value;
use super::{Error, weights};
use bytes::Bytes;
use nn::{Graph, ParameterTable, TensorType, ValueId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tensor::{Buffer, Tensor};

/// What the constants that a plan is built with may take, beside those in the file. A run with values
/// given may take whatever it needs.
const FOLD_BYTES: usize = 1 << 28;

/// An ONNX model.
///
/// f32 initializers that are weights of a node are parameters, so that the model can be trained and
/// saved; all others are constants.
pub struct OnnxModel {
    contents: Contents,
    functions: Functions,
    folder: Option<PathBuf>,
    parameters: ParameterTable,
    weights: Arc<Buffer>,
    plans: Plans,
    threads: usize,
}

/// What an input of a graph is built from.
enum Feed<'a> {
    Type(&'a TensorType),
    Tensor(&'a Tensor),
}

impl OnnxModel {
    /// Reads a file; external data lies beside it or below its folder.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Malformed`] and [`Error::Tensor`] if it is
    /// damaged, [`Error::Unsupported`] with all nodes that have no op here.
    pub fn read(path: &Path) -> Result<OnnxModel, Error> {
        let bytes =
            std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        OnnxModel::new(bytes.into(), path.parent())
    }

    /// Reads the bytes of a file without external data.
    ///
    /// # Errors
    /// As [`OnnxModel::read`].
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<OnnxModel, Error> {
        OnnxModel::new(bytes.into(), None)
    }

    fn new(bytes: Bytes, folder: Option<&Path>) -> Result<OnnxModel, Error> {
        let mut contents = reader::read(bytes, folder)?;
        let functions = build::functions(std::mem::take(&mut contents.proto.functions));
        build::check(&contents.graph, &contents.opsets, &functions)?;
        let (parameters, values) = weights::find(&contents)?;
        Ok(OnnxModel {
            contents,
            functions,
            folder: folder.map(Path::to_owned),
            parameters,
            weights: Arc::new(Buffer::from_f32(&values)?),
            plans: Plans::default(),
            threads: 1,
        })
    }

    /// The same model with so many threads in each of its ops, one if not told otherwise. Results
    /// may differ in bits between numbers of threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> OnnxModel {
        (self.threads, self.plans) = (threads.max(1), Plans::default());
        self
    }

    /// What the model takes.
    pub fn inputs(&self) -> &[Port] {
        &self.contents.inputs
    }

    /// What the model gives.
    pub fn outputs(&self) -> &[Port] {
        &self.contents.outputs
    }

    /// The parameters that training would change.
    pub fn parameters(&self) -> &ParameterTable {
        &self.parameters
    }

    /// The flat vector of the parameters' values.
    pub fn weights(&self) -> &Arc<Buffer> {
        &self.weights
    }

    /// Kinds of nodes and how many there are of each, by name; those of subgraphs are not counted.
    pub fn ops(&self) -> Vec<(&str, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for node in &self.contents.graph.node {
            *counts.entry(node.op_type()).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// Version of each opset that the model imports; that of ONNX itself has an empty name.
    pub fn opsets(&self) -> Vec<(&str, i64)> {
        let mut opsets: Vec<_> =
            self.contents.opsets.iter().map(|(name, &version)| (name.as_str(), version)).collect();
        opsets.sort_unstable();
        opsets
    }

    /// The graph for inputs of these types, by name.
    ///
    /// # Errors
    /// [`Error::Input`] if the inputs are not the model's, [`Error::NeedsValues`] if types do not
    /// suffice to build it, [`Error::Node`] and [`Error::Engine`] if nodes and types do not fit.
    pub fn graph(&self, inputs: &[(&str, TensorType)]) -> Result<Graph, Error> {
        let types = self.in_order(inputs, TensorType::clone)?;
        let (mut graph, outputs) = self.build(types.iter().map(Feed::Type).collect(), false)?;
        for (name, value) in outputs {
            graph.output(&name, value);
        }
        Ok(graph)
    }

    /// Runs the model on tensors by name; its outputs in the order of the file.
    ///
    /// The plan for the types of the inputs is kept for the next call. A model whose shapes or course
    /// depend on values is run node by node.
    ///
    /// # Errors
    /// [`Error::Input`] if the inputs are not the model's, [`Error::Node`] and [`Error::Engine`] if
    /// nodes and tensors do not fit.
    pub fn run(&self, inputs: &[(&str, &Tensor)]) -> Result<Vec<(String, Tensor)>, Error> {
        let types = self.in_order(inputs, |tensor| TensorType::of(tensor))?;
        let tensors: Vec<&Tensor> = self
            .inputs()
            .iter()
            .filter_map(|port| inputs.iter().find(|(name, _)| *name == port.name))
            .map(|(_, tensor)| *tensor)
            .collect();
        let names = self.outputs().iter().map(|port| port.name.clone());
        let way = self.plans.get(&types, || {
            match self.build(types.iter().map(Feed::Type).collect(), false) {
                Ok((graph, outputs)) => {
                    let compiled = Compiled::new(graph, &outputs, &self.weights, self.threads)?;
                    Ok(Way::Plan(Arc::new(compiled)))
                }
                Err(Error::NeedsValues { .. }) => Ok(Way::Eager),
                Err(error) => Err(error),
            }
        })?;
        if let Way::Plan(compiled) = way {
            return Ok(names.zip(compiled.run(&tensors)?).collect());
        }
        let (graph, outputs) = self.build(tensors.into_iter().map(Feed::Tensor).collect(), true)?;
        // What is random is left to a plan; all else is known by now.
        let none = Arc::new(Buffer::new(0)?);
        let made = Compiled::new(graph, &outputs, &none, self.threads)?.run(&[])?;
        Ok(names.zip(made).collect())
    }

    /// Types of what was given for the model's inputs, in their order.
    fn in_order<T>(
        &self,
        given: &[(&str, T)],
        ty: impl Fn(&T) -> TensorType,
    ) -> Result<Vec<TensorType>, Error> {
        let unknown = |name: &str| !self.inputs().iter().any(|port| port.name == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| unknown(name)) {
            let known: Vec<&str> = self.inputs().iter().map(|port| port.name.as_str()).collect();
            return Err(Error::Input {
                name: (*name).into(),
                problem: format!("the model has no such input. Its inputs: {}", known.join(", ")),
            });
        }
        let types = self.inputs().iter().map(|port| {
            let found = given.iter().find(|(name, _)| *name == port.name);
            let found = found.ok_or_else(|| Error::Input {
                name: port.name.clone(),
                problem: format!("expected {port}, got nothing. Give all inputs"),
            })?;
            let ty = ty(&found.1);
            build::fits(port, &ty)?;
            Ok(ty)
        });
        types.collect()
    }

    /// Builds the graph, all initializers as constants if `eager`; its outputs, not yet declared.
    fn build(
        &self,
        feeds: Vec<Feed<'_>>,
        eager: bool,
    ) -> Result<(Graph, Vec<(String, ValueId)>), Error> {
        let parameters = if eager { ParameterTable::new() } else { self.parameters.clone() };
        let mut graph = Graph::new(parameters);
        if !eager {
            graph.set_fold_bytes(FOLD_BYTES);
        }
        let mut builder = Builder::new(graph, &self.functions, self.folder.as_deref());
        let mut scope = Scope::new(&self.contents.opsets, String::new());
        for (name, tensor) in &self.contents.initializers {
            let value = if !eager && self.parameters.index(name).is_some() {
                let value = builder.graph.parameter(name)?;
                builder.initial.insert(value, tensor.clone());
                value
            } else {
                builder.graph.constant(tensor.clone())
            };
            scope.values.insert(name.clone(), value.into());
        }
        for (port, feed) in self.inputs().iter().zip(feeds) {
            let value = match feed {
                Feed::Type(ty) => builder.graph.input(&port.name, ty.clone()),
                Feed::Tensor(tensor) => builder.graph.constant(tensor.clone()),
            };
            scope.values.insert(port.name.clone(), value.into());
        }
        builder.graph(&self.contents.graph, &mut scope)?;
        let outputs = self.outputs().iter().map(|port| match scope.find(&port.name) {
            Some(Value::Tensor(value)) => Ok((port.name.clone(), *value)),
            Some(other) => Err(Error::Malformed(format!(
                "expected a tensor as output \"{}\", got {}",
                port.name,
                other.kind()
            ))),
            None => Err(Error::Malformed(format!("no node makes the output \"{}\"", port.name))),
        });
        let outputs = outputs.collect::<Result<_, _>>()?;
        Ok((builder.graph, outputs))
    }
}
