//! From our graph to a model of opset 22.

mod forms;

use super::proto::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto,
    ValueInfoProto, tensor_shape_proto, type_proto,
};
use super::{Error, tensors};
use nn::{Graph, TensorType, ValueId};
use prost::Message;
use std::collections::{HashMap, HashSet};
use tensor::Tensor;

/// Opset of the models that are written.
const OPSET: i64 = 22;

/// Version of the file format that belongs to that opset.
const IR_VERSION: i64 = 10;

/// The bytes of an ONNX model (opset 22) of a graph for inference; `weights` is the flat vector of
/// its parameters, which become initializers under their names.
///
/// # Errors
/// [`Error::NotExported`] for an op that ONNX has no node for, [`Error::Malformed`] if the vector is
/// too short.
pub fn write(graph: &Graph, weights: &[f32]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer { graph, weights, names: HashMap::new(), proto: GraphProto::default() };
    writer.proto.name = Some("firesteel".into());
    writer.inputs();
    writer.outputs();
    for (name, op, src, dst) in graph.nodes() {
        writer.node(name, &**op, src, dst)?;
    }
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        producer_name: Some("firesteel".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(writer.finish()?),
        ..ModelProto::default()
    };
    Ok(model.encode_to_vec())
}

struct Writer<'g> {
    graph: &'g Graph,
    weights: &'g [f32],
    names: HashMap<ValueId, String>,
    proto: GraphProto,
}

impl Writer<'_> {
    fn inputs(&mut self) {
        for (name, value) in self.graph.inputs() {
            self.names.insert(value, name.into());
            self.proto.input.push(port(name, self.graph.tensor_type(value)));
        }
    }

    /// Declares the outputs; a value that a node makes takes the name of its first output.
    fn outputs(&mut self) {
        let made: HashSet<ValueId> =
            self.graph.nodes().flat_map(|(.., dst)| dst.iter().copied()).collect();
        for (name, value) in self.graph.outputs() {
            self.proto.output.push(port(name, self.graph.tensor_type(value)));
            if made.contains(&value) {
                self.names.entry(value).or_insert_with(|| name.into());
            }
        }
    }

    /// The name of a value; parameters and constants become initializers when first named.
    fn name(&mut self, value: ValueId) -> Result<String, Error> {
        if let Some(name) = self.names.get(&value) {
            return Ok(name.clone());
        }
        let name = if let Some(parameter) = self.graph.parameter_at(value) {
            let numbers = self.weights.get(parameter.range()).ok_or_else(|| {
                Error::Malformed(format!("no weights were given for \"{}\"", parameter.name))
            })?;
            let tensor = Tensor::new(parameter.shape.clone(), numbers.to_vec())?;
            self.proto.initializer.push(tensors::write(&parameter.name, &tensor));
            parameter.name.clone()
        } else if let Some(tensor) = self.graph.known(value) {
            let name = format!("constant{}", self.proto.initializer.len());
            self.proto.initializer.push(tensors::write(&name, tensor));
            name
        } else {
            format!("value{}", self.names.len())
        };
        self.names.insert(value, name.clone());
        Ok(name)
    }

    fn node(
        &mut self,
        name: &str,
        op: &dyn nn::Op,
        src: &[ValueId],
        dst: &[ValueId],
    ) -> Result<(), Error> {
        let types: Vec<&TensorType> = src.iter().map(|&v| self.graph.tensor_type(v)).collect();
        let form = forms::of(op, &types).map_err(|problem| Error::NotExported {
            op: op.name().into(),
            node: name.into(),
            problem,
        })?;
        let mut input = Vec::new();
        for &value in src {
            input.push(self.name(value)?);
        }
        for setting in form.settings {
            input.push(match setting {
                Some(tensor) => {
                    let name = format!("setting{}", self.proto.initializer.len());
                    self.proto.initializer.push(tensors::write(&name, &tensor));
                    name
                }
                None => String::new(),
            });
        }
        let mut output = Vec::new();
        for &value in &dst[..form.outputs.min(dst.len())] {
            output.push(self.name(value)?);
        }
        self.proto.node.push(NodeProto {
            input,
            output,
            name: Some(format!("{name}#{}", self.proto.node.len())),
            op_type: Some(form.op.into()),
            attribute: form.attributes,
            ..NodeProto::default()
        });
        Ok(())
    }

    /// Outputs that no node has named are copies of what they stand for.
    fn finish(mut self) -> Result<GraphProto, Error> {
        for (name, value) in self.graph.outputs() {
            let from = self.name(value)?;
            if from != name {
                self.proto.node.push(NodeProto {
                    input: vec![from],
                    output: vec![name.into()],
                    op_type: Some("Identity".into()),
                    ..NodeProto::default()
                });
            }
        }
        Ok(self.proto)
    }
}

fn port(name: &str, ty: &TensorType) -> ValueInfoProto {
    let dim = |&dim: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(dim as i64)),
        denotation: None,
    };
    let tensor = type_proto::Tensor {
        elem_type: Some(tensors::code(ty.dtype)),
        shape: Some(TensorShapeProto { dim: ty.dims().iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            denotation: None,
        }),
        ..ValueInfoProto::default()
    }
}
