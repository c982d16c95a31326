//! A node while it is built: its attributes, sources and what is known of them.

use super::build::{Builder, Scope, domain, name};
use super::proto::{AttributeProto, GraphProto, NodeProto};
use super::value::Value;
use super::{Error, attributes, reader, tensors};
use nn::{Op, TensorType, ValueId};
use std::sync::Arc;
use tensor::{DType, Tensor};

/// What a row of the table sees of a node.
pub(super) struct Node<'n, 'm> {
    pub builder: &'n mut Builder<'m>,
    pub proto: &'n NodeProto,
    pub scope: &'n Scope<'n>,
    pub src: Vec<Value>,
    /// Version of the opset that the node belongs to.
    pub version: i64,
    pub name: String,
}

/// Largest tensor that is computed while a graph is built, and that a plan holds.
const MOST_BYTES: usize = 1 << 35;

/// What a node makes.
pub(super) type Made = Result<Vec<Value>, Error>;

impl<'n, 'm> Node<'n, 'm> {
    pub fn new(
        builder: &'n mut Builder<'m>,
        proto: &'n NodeProto,
        scope: &'n Scope<'n>,
    ) -> Result<Self, Error> {
        let version = scope.opsets.get(domain(proto)).copied().unwrap_or(0);
        let name = format!("{}{}", scope.prefix, name(proto));
        let mut node = Node { builder, proto, scope, src: Vec::new(), version, name };
        for name in &proto.input {
            let value = match name.as_str() {
                "" => Value::Nothing,
                name => scope.find(name).cloned().ok_or_else(|| {
                    node.fail(format!("input \"{name}\" is made by no node before it"))
                })?,
            };
            node.src.push(value);
        }
        Ok(node)
    }

    /// An error of this node.
    pub fn fail(&self, problem: impl Into<String>) -> Error {
        Error::Node {
            op: self.proto.op_type().into(),
            node: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn needs(&self, what: String) -> Error {
        Error::NeedsValues { op: self.proto.op_type().into(), node: self.name.clone(), what }
    }

    // Sources.

    /// Number of sources, absent ones at the end left out.
    pub fn count(&self) -> usize {
        let absent = |value: &&Value| matches!(value, Value::Nothing);
        self.src.len() - self.src.iter().rev().take_while(absent).count()
    }

    /// True if source `i` was given.
    pub fn has(&self, i: usize) -> bool {
        !matches!(self.src.get(i), None | Some(Value::Nothing))
    }

    /// Source `i`, which must be a tensor.
    pub fn input(&self, i: usize) -> Result<ValueId, Error> {
        match self.src.get(i) {
            Some(Value::Tensor(value)) => Ok(*value),
            other => {
                let got = other.map_or("nothing", Value::kind);
                Err(self.fail(format!("expected a tensor as input {i}, got {got}")))
            }
        }
    }

    /// All sources, which must be tensors.
    pub fn inputs(&self) -> Result<Vec<ValueId>, Error> {
        (0..self.count()).map(|i| self.input(i)).collect()
    }

    /// The sequence that is source `i`.
    pub fn sequence(&self, i: usize) -> Result<&[ValueId], Error> {
        match self.src.get(i) {
            Some(Value::Sequence(values)) => Ok(values),
            other => {
                let got = other.map_or("nothing", Value::kind);
                Err(self.fail(format!("expected a sequence as input {i}, got {got}")))
            }
        }
    }

    /// Type of a value.
    pub fn ty(&self, value: ValueId) -> TensorType {
        self.builder.graph.tensor_type(value).clone()
    }

    /// Type of source `i`.
    pub fn src_type(&self, i: usize) -> Result<TensorType, Error> {
        Ok(self.ty(self.input(i)?))
    }

    /// Number of dimensions of source `i`.
    pub fn rank(&self, i: usize) -> Result<usize, Error> {
        Ok(self.src_type(i)?.dims().len())
    }

    // Values that must be known.

    /// The content of source `i`, which decides what is built.
    pub fn known(&self, i: usize) -> Result<&Tensor, Error> {
        let known = self.builder.known(self.input(i)?);
        known.ok_or_else(|| {
            let input = self.proto.input.get(i).map_or("", String::as_str);
            self.needs(format!("its input \"{input}\""))
        })
    }

    /// The integers of source `i`, which decide what is built.
    pub fn known_ints(&self, i: usize) -> Result<Vec<i64>, Error> {
        Ok(self.known(i)?.to_i64s()?)
    }

    /// The integer that is source `i`.
    pub fn known_int(&self, i: usize) -> Result<i64, Error> {
        match self.known_ints(i)?.as_slice() {
            [value] => Ok(*value),
            other => Err(self.fail(format!("expected one number as input {i}, got {other:?}"))),
        }
    }

    /// The numbers of source `i`, which decide what is built.
    pub fn known_floats(&self, i: usize) -> Result<Vec<f64>, Error> {
        Ok(self.known(i)?.cast(DType::F64).into_vec()?)
    }

    /// The number that is source `i`.
    pub fn known_float(&self, i: usize) -> Result<f64, Error> {
        match self.known_floats(i)?.as_slice() {
            [value] => Ok(*value),
            other => Err(self.fail(format!("expected one number as input {i}, got {other:?}"))),
        }
    }

    /// Integers that older opsets have as attribute and newer ones as source `i`.
    pub fn ints_or(&self, name: &str, i: usize) -> Result<Option<Vec<i64>>, Error> {
        match self.attribute(name) {
            Some(attribute) => Ok(Some(attribute.ints.clone())),
            None if self.has(i) => self.known_ints(i).map(Some),
            None => Ok(None),
        }
    }

    // Attributes.

    fn attribute(&self, name: &str) -> Option<&'n AttributeProto> {
        attributes::find(self.proto, name)
    }

    /// An integer.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(AttributeProto::i)
    }

    /// A number that is 0 unless given, read as a truth value.
    pub fn flag(&self, name: &str) -> bool {
        self.int(name).is_some_and(|value| value != 0)
    }

    /// An axis, counted from the end if negative, of a tensor of so many dimensions.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, Error> {
        let counted = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(counted)
            .ok()
            .filter(|&axis| axis < rank.max(1))
            .ok_or_else(|| self.fail(format!("expected an axis of {rank} dimensions, got {axis}")))
    }

    /// Integers.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// Sizes: integers that are not negative.
    pub fn sizes(&self, name: &str) -> Result<Option<Vec<usize>>, Error> {
        let Some(ints) = self.ints(name) else { return Ok(None) };
        let sizes: Option<Vec<usize>> = ints.iter().map(|&size| size.try_into().ok()).collect();
        sizes.map(Some).ok_or_else(|| self.fail(format!("expected sizes as {name}, got {ints:?}")))
    }

    /// A float.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).map(AttributeProto::f)
    }

    /// Floats.
    pub fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|attribute| attribute.floats.clone())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'n str>, Error> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        let text = std::str::from_utf8(attribute.s.as_deref().unwrap_or_default());
        text.map(Some).map_err(|_| self.fail(format!("{name} is no text")))
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> Result<Vec<&'n str>, Error> {
        let texts = self.attribute(name).map_or(&[][..], |attribute| &attribute.strings[..]);
        let read = |text: &'n bytes::Bytes| {
            std::str::from_utf8(text).map_err(|_| self.fail(format!("{name} is no text")))
        };
        texts.iter().map(read).collect()
    }

    /// A tensor.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        if let Some(proto) = &attribute.t {
            return tensors::read(proto, self.builder.folder).map(Some);
        }
        match &attribute.sparse_tensor {
            Some(proto) => reader::dense(proto, self.builder.folder).map(Some),
            None => Ok(None),
        }
    }

    /// A type of elements.
    pub fn dtype(&self, name: &str) -> Result<Option<DType>, Error> {
        let Some(code) = self.int(name) else { return Ok(None) };
        let dtype = i32::try_from(code).ok().and_then(tensors::dtype);
        dtype.map(Some).ok_or_else(|| {
            let known = tensors::type_name(code.try_into().unwrap_or(i32::MAX));
            self.fail(format!("{name}: elements of {known} are not supported"))
        })
    }

    /// Which random numbers the node takes: those of its seed, or those of its place in the model.
    pub fn salt(&self) -> u64 {
        match self.attribute("seed") {
            // Dropout has an integer, all others a float.
            Some(seed) => 1 << 63 | u64::from(seed.f().to_bits()) ^ (seed.i() as u64) << 32,
            None => self.builder.place(),
        }
    }

    /// A subgraph.
    pub fn subgraph(&self, name: &str) -> Result<&'n GraphProto, Error> {
        let graph = self.attribute(name).and_then(|attribute| attribute.g.as_deref());
        graph.ok_or_else(|| self.fail(format!("expected a graph as {name}, got none")))
    }

    // Results.

    /// Adds a constant.
    pub fn constant(&mut self, tensor: Tensor) -> ValueId {
        self.builder.graph.constant(tensor)
    }

    /// Applies an op; its outputs.
    pub fn add(&mut self, op: impl Op, src: &[ValueId]) -> Result<Vec<ValueId>, Error> {
        self.add_shared(Arc::new(op), src)
    }

    /// [`Node::add`] of an op of any kind.
    pub fn add_shared(&mut self, op: Arc<dyn Op>, src: &[ValueId]) -> Result<Vec<ValueId>, Error> {
        let types: Vec<TensorType> = src.iter().map(|&value| self.ty(value)).collect();
        for made in op.infer(&types.iter().collect::<Vec<_>>()).unwrap_or_default() {
            let size = made.dtype.size();
            let bytes = made.dims().iter().try_fold(size, |n, &dim| n.checked_mul(dim));
            if bytes.is_none_or(|bytes| bytes > MOST_BYTES) && !made.dims().contains(&0) {
                let problem =
                    format!("expected a result of at most {MOST_BYTES} bytes, got {made}");
                return Err(self.fail(problem));
            }
        }
        self.builder.graph.add_shared(&self.name, op, src).map_err(|error| match error {
            nn::Error::Op { source: nn::OpError::DependsOnData, .. } => {
                self.needs("the shape of its result".into())
            }
            error => error.into(),
        })
    }

    /// Applies an op and takes its first output.
    pub fn one(&mut self, op: impl Op, src: &[ValueId]) -> Result<ValueId, Error> {
        let made = self.add(op, src)?;
        made.first().copied().ok_or_else(|| self.fail("the op has no output"))
    }

    /// Applies an op to all sources; its outputs are those of the node.
    pub fn map(&mut self, op: impl Op) -> Made {
        let src = self.inputs()?;
        Ok(self.add(op, &src)?.into_iter().map(Value::from).collect())
    }

    /// Applies an op to all sources; the node has its first output, what follows is ours.
    pub fn map_one(&mut self, op: impl Op) -> Made {
        let src = self.inputs()?;
        Ok(vec![self.one(op, &src)?.into()])
    }

    /// What an op without sources makes of its settings.
    pub fn given(&mut self, op: impl Op) -> Made {
        Ok(self.add(op, &[])?.into_iter().map(Value::from).collect())
    }

    /// Applies an op to the first source; its outputs are those of the node.
    pub fn map_first(&mut self, op: impl Op) -> Made {
        let src = self.input(0)?;
        Ok(self.add(op, &[src])?.into_iter().map(Value::from).collect())
    }
}
