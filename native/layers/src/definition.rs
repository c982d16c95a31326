//! The definition of a model as data, and its JSON form.

use crate::layer::Layer;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The newest form of definitions that this build reads and writes.
const FORMAT: u32 = 1;

/// A model as data: inputs, layers in an order in which each comes after its inputs, outputs.
///
/// Nothing of it is checked before [`crate::Model::new`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Version of this form; 1.
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// What a sample consists of.
    pub inputs: Vec<InputDefinition>,
    /// The layers.
    pub layers: Vec<LayerDefinition>,
    /// Names of the layers whose results are the model's.
    pub outputs: Vec<String>,
}

/// An input of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputDefinition {
    /// Name.
    pub name: String,
    /// Shape of a sample, channels first.
    pub shape: Vec<usize>,
}

/// A layer of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDefinition {
    /// Name of the class, such as `Conv2D`.
    pub class: String,
    /// Name of the layer, unique in the model.
    pub name: String,
    /// Arguments by name; the others have their defaults.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Names of inputs and layers that it works on.
    pub inputs: Vec<String>,
}

impl Definition {
    /// A model without inputs, layers and outputs yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            inputs: Vec::new(),
            layers: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Adds an input; `shape` is that of a sample.
    pub fn input(mut self, name: impl Into<String>, shape: &[usize]) -> Self {
        self.inputs.push(InputDefinition { name: name.into(), shape: shape.to_vec() });
        self
    }

    /// Adds a layer that works on the inputs and layers named `inputs`.
    pub fn layer(mut self, name: impl Into<String>, layer: impl Layer, inputs: &[&str]) -> Self {
        self.layers.push(LayerDefinition {
            class: layer.class().into(),
            name: name.into(),
            config: layer.config(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        });
        self
    }

    /// Makes the result of a layer an output of the model.
    pub fn output(mut self, layer: impl Into<String>) -> Self {
        self.outputs.push(layer.into());
        self
    }

    /// Reads a definition.
    ///
    /// Fails with [`Error::Syntax`] if the text is not one, and with [`Error::Format`] if it was
    /// written in a newer form.
    pub fn from_json(json: &str) -> Result<Self> {
        let syntax = |error: serde_json::Error| Error::Syntax { problem: error.to_string() };
        let value: Value = serde_json::from_str(json).map_err(syntax)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(got) if got != u64::from(FORMAT) => Err(Error::Format { expected: FORMAT, got }),
            _ => serde_json::from_value(value).map_err(syntax),
        }
    }

    /// The definition as one line of JSON; equal definitions give equal text.
    pub fn to_json(&self) -> String {
        // Maps with string keys and plain numbers always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}
