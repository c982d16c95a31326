//! One model from two that differ in the size of their batch alone.

use super::super::proto::tensor_shape_proto::dimension::Value;
use super::super::proto::{GraphProto, NodeProto, TensorProto, ValueInfoProto, type_proto};
use super::super::{Error, tensors};
use tensor::Tensor;

/// Name of the dimension that is left open.
const BATCH: &str = "batch";

/// What stands for the batch in the shape that a `Reshape` makes: what is left of the elements.
const REST: i64 = -1;

/// Opens the dimensions in which the two differ.
pub(super) fn merge(mut one: GraphProto, other: GraphProto) -> Result<GraphProto, Error> {
    let ports = one.input.iter_mut().chain(&mut one.output);
    ports.zip(other.input.iter().chain(&other.output)).for_each(|(port, other)| open(port, other));
    if one.node != other.node || one.initializer.len() != other.initializer.len() {
        return Err(Error::Malformed("its nodes depend on the size of the batch".into()));
    }
    for (tensor, other) in one.initializer.iter_mut().zip(&other.initializer) {
        if tensor != other {
            let users =
                one.node.iter().filter(|node| node.input.iter().any(|name| name == tensor.name()));
            *tensor = rest(tensor, other, &users.collect::<Vec<_>>())?;
        }
    }
    Ok(one)
}

/// Gives the dimensions in which two ports differ a name.
fn open(port: &mut ValueInfoProto, other: &ValueInfoProto) {
    let other = shape(other);
    let kind = port.r#type.as_mut().and_then(|kind| kind.value.as_mut());
    let Some(type_proto::Value::TensorType(tensor)) = kind else { return };
    for (at, dim) in tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim).enumerate() {
        if dim.value.as_ref() != other.get(at).copied() {
            dim.value = Some(Value::DimParam(BATCH.into()));
        }
    }
}

fn shape(port: &ValueInfoProto) -> Vec<&Value> {
    match port.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(type_proto::Value::TensorType(tensor)) => {
            let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
            dims.filter_map(|dim| dim.value.as_ref()).collect()
        }
        _ => Vec::new(),
    }
}

/// A shape that fits both, if a `Reshape` alone uses it.
fn rest(
    one: &TensorProto,
    other: &TensorProto,
    users: &[&NodeProto],
) -> Result<TensorProto, Error> {
    let refuse = |node: &NodeProto| Error::NotExported {
        op: node.op_type().into(),
        node: node.name().into(),
        problem: "it depends on the size of the batch".into(),
    };
    if let Some(user) = users.iter().find(|node| node.op_type() != "Reshape") {
        return Err(refuse(user));
    }
    let sizes = |proto| Ok::<_, Error>(tensors::read(proto, None)?.to_i64s()?);
    let (mut sizes, others) = (sizes(one)?, sizes(other)?);
    let apart: Vec<usize> =
        (0..sizes.len()).filter(|&i| others.get(i) != Some(&sizes[i])).collect();
    match (&apart[..], users.first()) {
        (&[at], _) if !sizes.contains(&REST) => sizes[at] = REST,
        (_, Some(user)) => return Err(refuse(user)),
        (_, None) => {}
    }
    Ok(tensors::write(one.name(), &Tensor::vector(sizes)))
}
