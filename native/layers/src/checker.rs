//! The checks that make a definition a model.

use crate::catalogue::{Entry, catalogue};
use crate::model::Node;
use crate::{Definition, Error, LayerDefinition, Misfit, Result};
use nn::ParameterTable;
use std::collections::HashMap;
use tensor::Shape;

/// Largest number of elements of a tensor per sample and of all weights: 2^40, 4 TiB of f32.
/// Products below it cannot overflow, not even with a batch of millions.
const MAX_ELEMENTS: usize = 1 << 40;

/// Checks a definition part by part.
pub(crate) struct Checker<'a> {
    definition: &'a Definition,
    readers: HashMap<&'static str, Entry>,
    /// Index of the value of each input and layer seen so far.
    values: HashMap<&'a str, usize>,
    shapes: Vec<Shape>,
    nodes: Vec<Node>,
    parameters: ParameterTable,
}

impl<'a> Checker<'a> {
    /// The layers of a definition, the index of the one whose result is the model's, and the
    /// parameters.
    pub fn check(definition: &'a Definition) -> Result<(Vec<Node>, usize, ParameterTable)> {
        let mut checker = Self::new(definition)?;
        for layer in &definition.layers {
            checker.add(layer)?;
        }
        let output = checker.output()?;
        Ok((checker.nodes, output, checker.parameters))
    }

    fn new(definition: &'a Definition) -> Result<Self> {
        let mut checker = Self {
            definition,
            readers: catalogue().into_iter().map(|entry| (entry.class, entry)).collect(),
            values: HashMap::new(),
            shapes: Vec::new(),
            nodes: Vec::new(),
            parameters: ParameterTable::new(),
        };
        if definition.inputs.is_empty() {
            return Err(checker.fault("it has no input", "Name at least one, with its shape."));
        }
        for input in &definition.inputs {
            checker.name(&input.name)?;
            if elements(&input.shape).is_none_or(|count| count == 0) {
                return Err(checker.fault(
                    format!("input \"{}\" has the shape {:?}", input.name, input.shape),
                    "Give the sizes of one sample, each at least 1 and without the batch.",
                ));
            }
            checker.shapes.push(Shape::new(&input.shape));
        }
        Ok(checker)
    }

    fn fault(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Structure {
            model: self.definition.name.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Takes a name for the next value.
    fn name(&mut self, name: &'a str) -> Result<()> {
        if name.is_empty() {
            return Err(self.fault("an input or layer has an empty name", "Give every one a name."));
        }
        if self.values.insert(name, self.shapes.len()).is_some() {
            return Err(self.fault(
                format!("the name \"{name}\" is used twice"),
                "Give every input and layer a name of its own.",
            ));
        }
        Ok(())
    }

    fn add(&mut self, definition: &'a LayerDefinition) -> Result<()> {
        let name = definition.name.as_str();
        let Some(entry) = self.readers.get(definition.class.as_str()) else {
            let mut known: Vec<&str> = self.readers.keys().copied().collect();
            known.sort_unstable();
            return Err(Error::UnknownClass {
                layer: name.into(),
                class: definition.class.clone(),
                known: known.join(", "),
            });
        };
        let layer = (entry.read)(name, &definition.config)?;
        let src = self.sources(definition)?;
        self.name(name)?;
        let shapes: Vec<Shape> = src.iter().map(|value| self.shapes[*value].clone()).collect();
        let misfit = |misfit: Misfit| Error::Misfit {
            class: layer.class(),
            layer: name.into(),
            problem: misfit.problem,
            src: shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", "),
            remedy: misfit.remedy,
        };
        let output_shape = layer.output_shape(&shapes).map_err(misfit)?;
        let too_large = |what: &str, shape: &Shape| {
            misfit(Misfit::new(
                format!("{what} {shape} is too large to be held in memory"),
                "Choose smaller sizes.",
            ))
        };
        if elements(output_shape.dims()).is_none() {
            return Err(too_large("result", &output_shape));
        }
        let start = self.parameters.len();
        for weight in layer.weights(&shapes) {
            let total = elements(weight.shape.dims()).map(|count| self.parameters.len() + count);
            if total.is_none_or(|total| total > MAX_ELEMENTS) {
                return Err(too_large(weight.name, &weight.shape));
            }
            let parameter = format!("{name}.{}", weight.name);
            self.parameters
                .push(&parameter, weight.shape, weight.kind, weight.initializer)
                .map_err(|_| {
                    self.fault(
                        format!("the parameter \"{parameter}\" belongs to two layers"),
                        "Give the layers names that do not end in a parameter's name.",
                    )
                })?;
        }
        let weights = self.parameters.len() - start;
        self.shapes.push(output_shape.clone());
        self.nodes.push(Node { layer, src, output_shape, weights });
        Ok(())
    }

    /// Values of the inputs of a layer.
    fn sources(&self, definition: &LayerDefinition) -> Result<Vec<usize>> {
        let name = &definition.name;
        if definition.inputs.is_empty() {
            return Err(self.fault(
                format!("layer \"{name}\" has no input"),
                "Name the input or layer that it works on.",
            ));
        }
        let source = |input: &String| match self.values.get(input.as_str()) {
            Some(value) => Ok(*value),
            None => Err(self.missing(name, input)),
        };
        definition.inputs.iter().map(source).collect()
    }

    /// Why the layer `name` can't have the input `input`: a cycle, the wrong order, or no such.
    fn missing(&self, name: &str, input: &str) -> Error {
        let layers = &self.definition.layers;
        let find = |name: &str| layers.iter().find(|layer| layer.name == name);
        if find(input).is_none() {
            let known: Vec<&str> = self.definition.inputs.iter().map(|i| i.name.as_str()).collect();
            return self.fault(
                format!("layer \"{name}\" has the unknown input \"{input}\""),
                format!("Name an input ({}) or a layer.", known.join(", ")),
            );
        }
        // Depth-first search for a way back from `input` to `name`.
        let mut seen = vec![input];
        let mut open = vec![input];
        while let Some(next) = open.pop() {
            if next == name {
                return self.fault(
                    format!("layers \"{name}\" and \"{input}\" need each other's result"),
                    "Remove one of the inputs that close the cycle.",
                );
            }
            for before in find(next).into_iter().flat_map(|layer| &layer.inputs) {
                if !seen.contains(&before.as_str()) {
                    seen.push(before);
                    open.push(before);
                }
            }
        }
        self.fault(
            format!("layer \"{name}\" comes before its input \"{input}\""),
            "List each layer after its inputs.",
        )
    }

    /// Index of the node whose result is the model's.
    fn output(&self) -> Result<usize> {
        let inputs = self.definition.inputs.len();
        let [output] = self.definition.outputs.as_slice() else {
            return Err(self.fault(
                format!("expected one output, got {}", self.definition.outputs.len()),
                "Join several results with Concatenate.",
            ));
        };
        match self.values.get(output.as_str()) {
            Some(value) if *value >= inputs => Ok(value - inputs),
            _ => Err(self.fault(
                format!("the output \"{output}\" is not a layer"),
                "Name the layer whose result is the model's.",
            )),
        }
    }
}

/// Product of the dimensions, unless it is above [`MAX_ELEMENTS`].
fn elements(dims: &[usize]) -> Option<usize> {
    let product = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    product.filter(|count| *count <= MAX_ELEMENTS)
}
