//! From our graph to a model of opset 22.

mod any_batch;
mod form;
mod forms;
mod images;
mod lower;
mod moves;
mod recurrent;

use super::proto::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto,
    ValueInfoProto, tensor_shape_proto, type_proto,
};
use super::{Error, tensors};
use form::Form;
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
    Ok(model(Writer::write(graph, weights)?))
}

/// [`write()`] of a model that takes batches of any size, from its graphs for two sizes above 1; the
/// dimension is called `batch`.
///
/// # Errors
/// As [`write()`], and [`Error::NotExported`] for a node that depends on the size otherwise than by
/// the shapes of its operands.
pub fn write_for_any_batch(graphs: [&Graph; 2], weights: &[f32]) -> Result<Vec<u8>, Error> {
    let [one, other] = graphs.map(|graph| Writer::write(graph, weights));
    Ok(model(any_batch::merge(one?, other?)?))
}

fn model(graph: GraphProto) -> Vec<u8> {
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        producer_name: Some("firesteel".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

struct Writer<'g> {
    graph: &'g Graph,
    weights: &'g [f32],
    names: HashMap<ValueId, String>,
    /// How many values have got a name of ours.
    unnamed: usize,
    proto: GraphProto,
}

impl Writer<'_> {
    fn write(graph: &Graph, weights: &[f32]) -> Result<GraphProto, Error> {
        let proto = GraphProto { name: Some("firesteel".into()), ..GraphProto::default() };
        let mut writer = Writer { graph, weights, names: HashMap::new(), unnamed: 0, proto };
        writer.inputs();
        writer.outputs();
        for (name, op, src, dst) in graph.nodes() {
            writer.node(name, &**op, src, dst)?;
        }
        writer.finish()
    }

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
            self.fresh()
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
        let mut sources = Vec::new();
        for &value in src {
            sources.push(self.name(value)?);
        }
        let any: &dyn std::any::Any = op;
        if let Some(parts) = lower::of(any, &types)? {
            let output = self.name(dst[0])?;
            return self.parts(name, &parts, sources, output);
        }
        let form = forms::of(op, &types).map_err(|problem| Error::NotExported {
            op: op.name().into(),
            node: name.into(),
            problem,
        })?;
        for (i, before) in &form.before {
            sources[*i] = self.changed(name, before, sources[*i].clone());
        }
        let mut output = Vec::new();
        for &value in &dst[..form.outputs.min(dst.len())] {
            output.push(self.name(value)?);
        }
        let mut made = output.clone();
        for (i, _) in form.after.iter().filter(|(i, _)| *i < output.len()) {
            made[*i] = self.fresh();
        }
        let input = match form.inputs.is_empty() {
            true => sources,
            false => form
                .inputs
                .iter()
                .map(|i| i.map_or(String::new(), |i| sources[i].clone()))
                .collect(),
        };
        self.push(name, &form, input, made.clone());
        for (i, after) in form.after.iter().filter(|(i, _)| *i < output.len()) {
            self.push(name, after, vec![made[*i].clone()], vec![output[*i].clone()]);
        }
        Ok(())
    }

    /// Writes a graph in place of a node, from the names of its sources to that of its result.
    fn parts(
        &mut self,
        name: &str,
        graph: &Graph,
        sources: Vec<String>,
        output: String,
    ) -> Result<(), Error> {
        let (proto, unnamed) = (std::mem::take(&mut self.proto), self.unnamed);
        let inputs = graph.inputs().map(|(_, value)| value).zip(sources);
        let outputs = graph.outputs().map(|(_, value)| (value, output.clone()));
        let names = inputs.chain(outputs).collect();
        let mut writer = Writer { graph, weights: &[], names, unnamed, proto };
        for (_, op, src, dst) in graph.nodes() {
            writer.node(name, &**op, src, dst)?;
        }
        (self.proto, self.unnamed) = (writer.proto, writer.unnamed);
        Ok(())
    }

    /// What a node of one input makes of it.
    fn changed(&mut self, name: &str, form: &Form, input: String) -> String {
        let output = self.fresh();
        self.push(name, form, vec![input], vec![output.clone()]);
        output
    }

    /// A name that nothing has.
    fn fresh(&mut self) -> String {
        self.unnamed += 1;
        format!("value{}", self.unnamed)
    }

    /// Writes a node; its settings become initializers behind its inputs.
    fn push(&mut self, name: &str, form: &Form, mut input: Vec<String>, output: Vec<String>) {
        for setting in &form.settings {
            input.push(match setting {
                Some(tensor) => {
                    let name = format!("setting{}", self.proto.initializer.len());
                    self.proto.initializer.push(tensors::write(&name, tensor));
                    name
                }
                None => String::new(),
            });
        }
        while input.last().is_some_and(String::is_empty) {
            input.pop();
        }
        self.proto.node.push(NodeProto {
            input,
            output,
            name: Some(format!("{name}#{}", self.proto.node.len())),
            op_type: Some(form.op.into()),
            attribute: form.attributes.clone(),
            ..NodeProto::default()
        });
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
