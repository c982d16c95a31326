//! Nodes and values: what is computed from what. Types and shapes are known from the start, and
//! what depends on constants alone is computed at once.

use crate::op::Op;
use crate::{Error, OpError, Parameter, ParameterTable, TensorType, evaluate};
use std::collections::HashMap;
use std::sync::Arc;
use tensor::{Shape, Tensor};

/// Whether a graph is built to train or to predict: batch statistics and dropout differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward and backward follow.
    Training,
    /// Forward only.
    Inference,
}

/// A value of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub(crate) usize);

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Input,
    Constant(Arc<Tensor>),
    Parameter(usize),
    Node(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub ty: TensorType,
    pub source: Source,
}

/// One application of an op.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: String,
    pub op: Arc<dyn Op>,
    pub src: Vec<ValueId>,
    pub dst: Vec<ValueId>,
}

/// A computation: inputs and parameters, ops, outputs.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) parameters: ParameterTable,
    /// Values of the parameters, by index in the table.
    parameter_values: HashMap<usize, ValueId>,
    pub(crate) values: Vec<Value>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<(String, ValueId)>,
    pub(crate) outputs: Vec<(String, ValueId)>,
    /// Parameter index and the value that goes to its range of the gradient vector.
    pub(crate) results: Vec<(usize, ValueId)>,
    /// Bytes that folded constants may still take.
    fold_bytes: usize,
}

impl Graph {
    /// Empty graph over these parameters.
    pub fn new(parameters: ParameterTable) -> Graph {
        Graph {
            parameters,
            parameter_values: HashMap::new(),
            values: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            results: Vec::new(),
            fold_bytes: usize::MAX,
        }
    }

    /// Lets what is computed from constants take so many bytes in all, instead of any number: ops
    /// beyond that are computed in each run, like those on inputs.
    ///
    /// A few bytes of a file can ask for constants of any size.
    pub fn set_fold_bytes(&mut self, bytes: usize) {
        self.fold_bytes = bytes;
    }

    fn value(&mut self, ty: TensorType, source: Source) -> ValueId {
        self.values.push(Value { ty, source });
        ValueId(self.values.len() - 1)
    }

    /// A value that is given at each run, batch dimension included; a shape alone means f32.
    pub fn input(&mut self, name: &str, ty: impl Into<TensorType>) -> ValueId {
        let value = self.value(ty.into(), Source::Input);
        self.inputs.push((name.into(), value));
        value
    }

    /// A parameter as a value; the same value at each call.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] if the table does not hold it.
    pub fn parameter(&mut self, name: &str) -> Result<ValueId, Error> {
        let index = self.parameters.index(name).ok_or_else(|| Error::UnknownParameter {
            name: name.into(),
            count: self.parameters.count(),
        })?;
        if let Some(&value) = self.parameter_values.get(&index) {
            return Ok(value);
        }
        let shape = self.parameters.at(index).shape.clone();
        let value = self.value(shape.into(), Source::Parameter(index));
        self.parameter_values.insert(index, value);
        Ok(value)
    }

    /// A value that is the same in each run.
    pub fn constant(&mut self, tensor: impl Into<Arc<Tensor>>) -> ValueId {
        let tensor = tensor.into();
        self.value(TensorType::of(&tensor), Source::Constant(tensor))
    }

    /// The content of a constant: of [`Graph::constant`], or of an op on constants.
    pub fn known(&self, value: ValueId) -> Option<&Arc<Tensor>> {
        match &self.values[value.0].source {
            Source::Constant(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Applies an op; one value per output. If all sources are constants, so are the outputs.
    ///
    /// # Errors
    /// [`Error::Op`] if the sources do not fit.
    pub fn add(&mut self, name: &str, op: impl Op, src: &[ValueId]) -> Result<Vec<ValueId>, Error> {
        self.add_shared(name, Arc::new(op), src)
    }

    /// [`Graph::add`] of an op of any kind.
    ///
    /// # Errors
    /// [`Error::Op`] if the sources do not fit.
    pub fn add_shared(
        &mut self,
        name: &str,
        op: Arc<dyn Op>,
        src: &[ValueId],
    ) -> Result<Vec<ValueId>, Error> {
        let refuse = |source| Error::Op { op: op.name(), node: name.into(), source };
        let src_types: Vec<&TensorType> = src.iter().map(|&v| self.tensor_type(v)).collect();
        let types = op.infer(&src_types);
        let bytes = match &types {
            Ok(types) => types.iter().map(TensorType::bytes).fold(0, usize::saturating_add),
            Err(_) => 0,
        };
        let foldable = bytes <= self.fold_bytes;
        if foldable && let Some(made) = op.known(&src_types).map_err(refuse)? {
            return Ok(self.constants(made));
        }
        if types.is_ok()
            && let Some(made) = op.compose(self, name, src)?
        {
            return Ok(made);
        }
        if foldable && let Some(made) = self.folded(&op, &types, src) {
            return Ok(self.constants(made.map_err(refuse)?));
        }
        let types = types.map_err(refuse)?;
        let node = self.nodes.len();
        let dst: Vec<ValueId> =
            types.into_iter().map(|ty| self.value(ty, Source::Node(node))).collect();
        self.nodes.push(Node { name: name.into(), op, src: src.to_vec(), dst: dst.clone() });
        Ok(dst)
    }

    /// What an op makes of constants, if all its sources are constants and it is the same each time.
    fn folded(
        &self,
        op: &Arc<dyn Op>,
        types: &Result<Vec<TensorType>, OpError>,
        src: &[ValueId],
    ) -> Option<Result<Vec<Tensor>, OpError>> {
        let foldable =
            op.is_deterministic() && matches!(types, Ok(_) | Err(OpError::DependsOnData));
        let known = src.iter().map(|&v| self.known(v).map(|tensor| &**tensor));
        let known: Vec<&Tensor> = known.collect::<Option<_>>().filter(|_| foldable)?;
        Some(evaluate(op, &known))
    }

    fn constants(&mut self, made: Vec<Tensor>) -> Vec<ValueId> {
        let bytes: usize = made.iter().map(|tensor| TensorType::of(tensor).bytes()).sum();
        self.fold_bytes = self.fold_bytes.saturating_sub(bytes);
        made.into_iter().map(|tensor| self.constant(tensor)).collect()
    }

    /// Names a value as an output.
    pub fn output(&mut self, name: &str, value: ValueId) {
        self.outputs.push((name.into(), value));
    }

    /// Declares the value that replaces a statistic parameter after a training step.
    pub fn update(&mut self, parameter: ValueId, value: ValueId) {
        if let Source::Parameter(index) = self.values[parameter.0].source {
            self.results.push((index, value));
        }
    }

    /// Shape of a value.
    pub fn shape(&self, value: ValueId) -> &Shape {
        &self.values[value.0].ty.shape
    }

    /// Element type and shape of a value.
    pub fn tensor_type(&self, value: ValueId) -> &TensorType {
        &self.values[value.0].ty
    }

    /// The parameters.
    pub fn parameters(&self) -> &ParameterTable {
        &self.parameters
    }

    /// Inputs by name, in the order of their declaration.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = (&str, ValueId)> {
        self.inputs.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Outputs by name, in the order of their declaration.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = (&str, ValueId)> {
        self.outputs.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Applications of ops in the order in which they are computed: name, op, sources, outputs.
    pub fn nodes(
        &self,
    ) -> impl ExactSizeIterator<Item = (&str, &Arc<dyn Op>, &[ValueId], &[ValueId])> {
        self.nodes.iter().map(|node| (node.name.as_str(), &node.op, &node.src[..], &node.dst[..]))
    }

    /// The parameter that a value is.
    pub fn parameter_at(&self, value: ValueId) -> Option<&Parameter> {
        match self.values[value.0].source {
            Source::Parameter(index) => Some(self.parameters.at(index)),
            _ => None,
        }
    }

    /// Arithmetic operations and bytes of one run, summed over the nodes.
    pub fn cost(&self) -> crate::Cost {
        let mut total = crate::Cost::default();
        for node in &self.nodes {
            let cost = self.node_cost(node);
            total.flops += cost.flops;
            total.bytes += cost.bytes;
        }
        total
    }

    pub(crate) fn node_cost(&self, node: &Node) -> crate::Cost {
        let shapes = |ids: &[ValueId]| -> Vec<Shape> {
            ids.iter().map(|&v| self.shape(v).clone()).collect()
        };
        node.op.cost(&shapes(&node.src), &shapes(&node.dst))
    }

    /// All values, in the order in which they were made.
    pub(crate) fn values(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len()).map(ValueId)
    }

    /// Values that outputs and results are made of.
    pub(crate) fn roots(&self) -> impl Iterator<Item = ValueId> {
        self.outputs.iter().map(|o| o.1).chain(self.results.iter().map(|r| r.1))
    }
}
