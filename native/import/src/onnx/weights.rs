//! Which initializers are parameters.

use super::Error;
use super::build::domain;
use super::proto::NodeProto;
use super::reader::Contents;
use nn::{Initializer, ParameterKind, ParameterTable};
use std::collections::HashMap;
use tensor::DType;

/// What training would do with source `i` of a node; none if it is no weight.
fn kind(node: &NodeProto, i: usize) -> Option<ParameterKind> {
    if !domain(node).is_empty() {
        return None;
    }
    let weight = match node.op_type() {
        "Conv" | "ConvTranspose" | "Gemm" => i <= 2,
        "BatchNormalization" if i > 2 => return (i <= 4).then_some(ParameterKind::Statistic),
        "BatchNormalization"
        | "LayerNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "RMSNormalization" => (1..=2).contains(&i),
        "LSTM" | "GRU" | "RNN" => (1..=3).contains(&i) || i == 7,
        "MatMul" | "Add" | "Mul" | "Sub" | "Div" | "Einsum" => true,
        "PRelu" => i == 1,
        "Gather" => i == 0,
        _ => false,
    };
    weight.then_some(ParameterKind::Trainable)
}

/// The f32 initializers of rank 1 and more, and more than one element, that a node uses as a
/// weight; and the flat vector of their values.
pub(super) fn find(contents: &Contents) -> Result<(ParameterTable, Vec<f32>), Error> {
    let mut kinds = HashMap::new();
    for node in &contents.graph.node {
        for (i, name) in node.input.iter().enumerate() {
            if let Some(kind) = kind(node, i) {
                kinds.entry(name.as_str()).or_insert(kind);
            }
        }
    }
    let (mut table, mut values) = (ParameterTable::new(), Vec::new());
    for (name, tensor) in &contents.initializers {
        let Some(&kind) = kinds.get(name.as_str()) else { continue };
        if tensor.dtype() != DType::F32 || tensor.len() < 2 || tensor.dims().is_empty() {
            continue;
        }
        // Their values are in the file, so that nothing is ever drawn.
        table.push(name, tensor.shape().clone(), kind, Initializer::Zeros)?;
        values.extend_from_slice(tensor.get::<f32>()?);
    }
    Ok((table, values))
}
