//! A checked model: parameters, shapes, and the graph of a batch.

use crate::checker::Checker;
use crate::layer::{Layer, Scope};
use crate::{Definition, Error, LayerDefinition, Result};
use nn::{Graph, Mode, ParameterTable};
use std::fmt;
use tensor::Shape;

/// A definition of which every part was checked.
///
/// Weights are one flat f32 vector; [`Model::parameters`] says which range of it is what.
#[derive(Debug)]
pub struct Model {
    definition: Definition,
    nodes: Vec<Node>,
    input_shapes: Vec<Shape>,
    output: usize,
    parameters: ParameterTable,
}

/// A layer with the values that it works on: the inputs are values 0, 1, …, then come the results
/// of the layers.
#[derive(Debug)]
pub(crate) struct Node {
    pub layer: Box<dyn Layer>,
    pub src: Vec<usize>,
    pub output_shape: Shape,
    pub weights: usize,
}

/// One line of a model's summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// Name of the layer.
    pub name: String,
    /// Its class.
    pub class: &'static str,
    /// Shape of its result per sample.
    pub output_shape: Shape,
    /// Number of its weights.
    pub weights: usize,
}

impl Model {
    /// Checks a definition.
    ///
    /// Fails with an error that names the layer, what was expected, what came and what to do, if
    /// a class or argument is unknown, a name is used twice or not known, the order is wrong, or
    /// shapes do not fit.
    pub fn new(definition: Definition) -> Result<Self> {
        let (nodes, output, parameters) = Checker::check(&definition)?;
        let input_shapes = definition.inputs.iter().map(|input| Shape::new(&input.shape)).collect();
        Ok(Self { definition, nodes, input_shapes, output, parameters })
    }

    /// Reads and checks a definition in JSON.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::new(Definition::from_json(json)?)
    }

    /// The definition as one line of JSON.
    pub fn to_json(&self) -> String {
        self.definition.to_json()
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The named ranges of the flat vector of weights.
    pub fn parameters(&self) -> &ParameterTable {
        &self.parameters
    }

    /// The weights at the start of a training; equal seeds give equal bits.
    pub fn initial_weights(&self, seed: u64) -> Vec<f32> {
        self.parameters.initial_values(seed)
    }

    /// Fails with [`Error::Weights`] unless `count` is the length of the flat vector.
    pub fn check_weights(&self, count: usize) -> Result<()> {
        let expected = self.parameters.len();
        if count == expected {
            return Ok(());
        }
        Err(Error::Weights { model: self.name().into(), expected, got: count })
    }

    /// Shapes of the inputs of one sample.
    pub fn input_shapes(&self) -> &[Shape] {
        &self.input_shapes
    }

    /// Shape of the output for one sample.
    pub fn output_shape(&self) -> &Shape {
        &self.nodes[self.output].output_shape
    }

    /// The graph of a batch. Its inputs and its output carry the names of the definition.
    ///
    /// Fails with [`Error::Graph`] if the engine refuses an op.
    pub fn graph(&self, batch: usize, mode: Mode) -> Result<Graph> {
        let mut graph = Graph::new(self.parameters.clone());
        let mut values = Vec::with_capacity(self.input_shapes.len() + self.nodes.len());
        for (input, shape) in self.definition.inputs.iter().zip(&self.input_shapes) {
            let dims: Vec<usize> = [batch].iter().chain(shape.dims()).copied().collect();
            values.push(graph.input(&input.name, Shape::from(dims)));
        }
        for (layer, node) in self.definition.layers.iter().zip(&self.nodes) {
            let src: Vec<_> = node.src.iter().map(|value| values[*value]).collect();
            let mut scope = Scope::new(&mut graph, &layer.name, mode);
            let dst = node.layer.build(&mut scope, &src).map_err(|source| Error::Graph {
                class: node.layer.class(),
                layer: layer.name.clone(),
                source: Box::new(source),
            })?;
            values.push(dst);
        }
        graph.output(&self.definition.outputs[0], values[self.input_shapes.len() + self.output]);
        Ok(graph)
    }

    /// Layer by layer: class, result and number of weights.
    pub fn summary(&self) -> Vec<LayerSummary> {
        let line = |(layer, node): (&LayerDefinition, &Node)| LayerSummary {
            name: layer.name.clone(),
            class: node.layer.class(),
            output_shape: node.output_shape.clone(),
            weights: node.weights,
        };
        self.definition.layers.iter().zip(&self.nodes).map(line).collect()
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:32} {:24} {:>20} {:>12}", "layer", "class", "output shape", "weights")?;
        for layer in self.summary() {
            let shape = layer.output_shape.to_string();
            writeln!(
                f,
                "{:32} {:24} {:>20} {:>12}",
                layer.name, layer.class, shape, layer.weights
            )?;
        }
        write!(f, "{:32} {:24} {:>20} {:>12}", "", "", "sum", self.parameters.len())
    }
}
