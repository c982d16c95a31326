//! From bytes to a model whose parts were looked at.

use super::proto::{GraphProto, ModelProto, SparseTensorProto, ValueInfoProto, tensor_shape_proto};
use super::proto::{tensor_shape_proto::dimension, type_proto};
use super::{Error, tensors};
use bytes::Bytes;
use prost::Message;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tensor::{DType, Tensor};

/// Newest opset of ONNX whose ops are known here.
pub(super) const NEWEST_OPSET: i64 = 28;

/// A dimension of an input or output as the file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// Always this.
    Known(usize),
    /// Chosen at each run; equal names mean equal dimensions.
    Named(String),
    /// Chosen at each run.
    Any,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Known(dim) => write!(f, "{dim}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Any => f.write_str("?"),
        }
    }
}

/// An input or output as the file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Type of the elements; none if it is no tensor of numbers.
    pub dtype: Option<DType>,
    /// The dimensions; none if the rank is not declared.
    pub dims: Option<Vec<Dim>>,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dtype = self.dtype.map_or("no tensor of numbers", DType::name);
        write!(f, "{} {dtype}", self.name)?;
        match &self.dims {
            Some(dims) => {
                let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
                write!(f, " [{}]", dims.join(", "))
            }
            None => f.write_str(" of any shape"),
        }
    }
}

impl Port {
    pub(super) fn new(info: &ValueInfoProto) -> Port {
        let tensor = info.r#type.as_ref().and_then(|kind| match kind.value.as_ref()? {
            type_proto::Value::TensorType(tensor) => Some(tensor),
            _ => None,
        });
        let dims = tensor
            .and_then(|tensor| tensor.shape.as_ref())
            .map(|shape| shape.dim.iter().map(dim).collect());
        let dtype = tensor.and_then(|tensor| tensors::dtype(tensor.elem_type()));
        Port { name: info.name().into(), dtype, dims }
    }
}

fn dim(dim: &tensor_shape_proto::Dimension) -> Dim {
    match &dim.value {
        Some(dimension::Value::DimValue(value)) => {
            usize::try_from(*value).map_or(Dim::Any, Dim::Known)
        }
        Some(dimension::Value::DimParam(name)) if !name.is_empty() => Dim::Named(name.clone()),
        _ => Dim::Any,
    }
}

/// A file that was read: its graph without the initializers, and these as tensors.
pub(super) struct Contents {
    pub proto: ModelProto,
    pub graph: GraphProto,
    pub opsets: HashMap<String, i64>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// In the order of the file.
    pub initializers: Vec<(String, Arc<Tensor>)>,
}

/// Reads the bytes of a file; `folder` is where external data lies.
pub(super) fn read(bytes: Bytes, folder: Option<&Path>) -> Result<Contents, Error> {
    let malformed = |problem: String| Error::Malformed(problem);
    let mut proto = ModelProto::decode(bytes).map_err(|error| malformed(error.to_string()))?;
    let mut graph = proto.graph.take().ok_or_else(|| malformed("it has no graph".into()))?;
    let opsets = opsets(&proto.opset_import)?;
    let mut initializers = Vec::new();
    for tensor in std::mem::take(&mut graph.initializer) {
        let read = tensors::read(&tensor, folder)?;
        initializers.push((tensor.name().to_owned(), Arc::new(read)));
    }
    for sparse in std::mem::take(&mut graph.sparse_initializer) {
        let name = sparse.values.as_ref().map_or("", |values| values.name()).to_owned();
        initializers.push((name, Arc::new(dense(&sparse, folder)?)));
    }
    let given = |name: &str| initializers.iter().any(|(known, _)| known == name);
    let inputs = graph.input.iter().map(Port::new).filter(|port| !given(&port.name)).collect();
    let outputs = graph.output.iter().map(Port::new).collect();
    Ok(Contents { proto, graph, opsets, inputs, outputs, initializers })
}

/// Version of each domain's opset; ONNX's own domain is the empty name.
pub(super) fn opsets(
    imports: &[super::proto::OperatorSetIdProto],
) -> Result<HashMap<String, i64>, Error> {
    let mut opsets = HashMap::new();
    for import in imports {
        let domain = if import.domain() == "ai.onnx" { "" } else { import.domain() };
        if domain.is_empty() && !(1..=NEWEST_OPSET).contains(&import.version()) {
            return Err(Error::Malformed(format!(
                "expected an opset from 1 to {NEWEST_OPSET}, got {}",
                import.version()
            )));
        }
        opsets.insert(domain.to_owned(), import.version());
    }
    // Models older than IR version 3 name no opset and mean the first.
    opsets.entry(String::new()).or_insert(1);
    Ok(opsets)
}

/// A tensor of which the file lists only what is not zero.
pub(super) fn dense(sparse: &SparseTensorProto, folder: Option<&Path>) -> Result<Tensor, Error> {
    let part = |part: &Option<_>| match part {
        Some(proto) => tensors::read(proto, folder),
        None => Err(Error::Malformed("a sparse tensor without values or indices".into())),
    };
    let (values, indices) = (part(&sparse.values)?, part(&sparse.indices)?);
    let name = sparse.values.as_ref().map_or("", |values| values.name());
    let fail = |problem: &str| Error::Tensor { name: name.into(), problem: problem.into() };
    let dims: Option<Vec<usize>> = sparse.dims.iter().map(|&d| d.try_into().ok()).collect();
    let dims = dims.ok_or_else(|| fail("a negative dimension"))?;
    // A few bytes must not ask for all memory there is.
    let len = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
    let len = len.filter(|&len| len <= DENSE_LIMIT).ok_or_else(|| fail("too many elements"))?;
    let places = indices.to_i64s()?;
    let rank = if indices.dims().len() == 2 { dims.len() } else { 1 };
    if rank == 0 || places.len() != values.len() * rank {
        return Err(fail("expected one index per value"));
    }
    let shape = tensor::Shape::from(dims);
    let strides = if rank == 1 { vec![1] } else { shape.strides() };
    let mut full = vec![0.0f64; len];
    let dtype = values.dtype();
    let values = values.cast(DType::F64).into_vec::<f64>()?;
    for (place, value) in places.chunks(rank).zip(values) {
        let at = place.iter().zip(&strides).try_fold(0usize, |at, (&i, &stride)| {
            usize::try_from(i).ok()?.checked_mul(stride)?.checked_add(at)
        });
        let at = at.filter(|&at| at < len).ok_or_else(|| fail("an index beyond the tensor"))?;
        full[at] = value;
    }
    Ok(Tensor::new(shape, full)?.cast(dtype))
}

/// Most elements of a sparse tensor that is made dense.
const DENSE_LIMIT: usize = 1 << 26;
