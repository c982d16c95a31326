//! The table of a model's parameters: named ranges of one flat f32 vector.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use tensor::Shape;
use tensor::random::{Philox, Purpose};

/// What training does with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Moved by the optimizer.
    Trainable,
    /// Left as it is.
    Frozen,
    /// Replaced by its average over the samples of an iteration (running statistics).
    Statistic,
}

/// How a parameter starts. Uniform and normal draws come from Philox, keyed by seed and parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Initializer {
    /// All zeros.
    Zeros,
    /// All ones.
    Ones,
    /// One value everywhere.
    Constant {
        /// The value.
        value: f32,
    },
    /// Uniform in [min, max).
    Uniform {
        /// Lower bound.
        min: f32,
        /// Upper bound.
        max: f32,
    },
    /// Normal.
    Normal {
        /// Mean.
        mean: f32,
        /// Standard deviation.
        stddev: f32,
    },
    /// Uniform in ±√(6 / (fan_in + fan_out)) (Glorot, Bengio: "Understanding the difficulty of
    /// training deep feedforward neural networks", AISTATS 2010).
    GlorotUniform {
        /// Inputs of a unit.
        fan_in: usize,
        /// Outputs of a unit.
        fan_out: usize,
    },
    /// Normal with variance 2 / fan_in (He, Zhang, Ren, Sun: "Delving deep into rectifiers",
    /// ICCV 2015).
    HeNormal {
        /// Inputs of a unit.
        fan_in: usize,
    },
    /// Uniform in ±√(6 / fan_in) (the same paper).
    HeUniform {
        /// Inputs of a unit.
        fan_in: usize,
    },
}

impl Initializer {
    fn fill(&self, stream: Philox, values: &mut [f32]) {
        let uniform = |min: f32, max: f32| move |i| min + (max - min) * stream.uniform(i);
        let normal = |mean: f32, stddev: f32| move |i| mean + stddev * stream.normal(i);
        let fill = |values: &mut [f32], f: &dyn Fn(u64) -> f32| {
            values.iter_mut().enumerate().for_each(|(i, v)| *v = f(i as u64));
        };
        match *self {
            Initializer::Zeros => values.fill(0.0),
            Initializer::Ones => values.fill(1.0),
            Initializer::Constant { value } => values.fill(value),
            Initializer::Uniform { min, max } => fill(values, &uniform(min, max)),
            Initializer::Normal { mean, stddev } => fill(values, &normal(mean, stddev)),
            Initializer::GlorotUniform { fan_in, fan_out } => {
                let bound = (6.0 / (fan_in + fan_out).max(1) as f32).sqrt();
                fill(values, &uniform(-bound, bound));
            }
            Initializer::HeNormal { fan_in } => {
                fill(values, &normal(0.0, (2.0 / fan_in.max(1) as f32).sqrt()));
            }
            Initializer::HeUniform { fan_in } => {
                let bound = (6.0 / fan_in.max(1) as f32).sqrt();
                fill(values, &uniform(-bound, bound));
            }
        }
    }
}

/// One parameter: a named range of the flat vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// `<layer>.<weight|bias|…>`.
    pub name: String,
    /// Shape in plain layout.
    #[serde(with = "dims")]
    pub shape: Shape,
    /// First float of the range.
    pub offset: usize,
    /// What training does with it.
    pub kind: ParameterKind,
    /// How it starts.
    pub initializer: Initializer,
}

impl Parameter {
    /// The floats of the flat vector that hold this parameter.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.shape.len()
    }
}

mod dims {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tensor::Shape;

    pub fn serialize<S: Serializer>(shape: &Shape, s: S) -> Result<S::Ok, S::Error> {
        shape.dims().serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Shape, D::Error> {
        Ok(Shape::from(Vec::<usize>::deserialize(d)?))
    }
}

/// All parameters of a model, in the order of their ranges.
#[derive(Clone, Debug, Default)]
pub struct ParameterTable {
    parameters: Vec<Parameter>,
    by_name: HashMap<String, usize>,
}

impl PartialEq for ParameterTable {
    fn eq(&self, other: &ParameterTable) -> bool {
        self.parameters == other.parameters
    }
}

impl ParameterTable {
    /// Empty table.
    pub fn new() -> ParameterTable {
        ParameterTable::default()
    }

    /// Appends a parameter and returns its index.
    ///
    /// # Errors
    /// [`Error::DuplicateParameter`] if the name is taken.
    pub fn push(
        &mut self,
        name: &str,
        shape: Shape,
        kind: ParameterKind,
        initializer: Initializer,
    ) -> Result<usize, Error> {
        if self.index(name).is_some() {
            return Err(Error::DuplicateParameter { name: name.into() });
        }
        let offset = self.len();
        self.by_name.insert(name.into(), self.parameters.len());
        self.parameters.push(Parameter { name: name.into(), shape, offset, kind, initializer });
        Ok(self.parameters.len() - 1)
    }

    /// Index of a parameter.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Parameter by name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        Some(self.at(self.index(name)?))
    }

    /// Parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.parameters.iter()
    }

    /// Number of parameters.
    pub fn count(&self) -> usize {
        self.parameters.len()
    }

    /// Parameter by index.
    pub fn at(&self, index: usize) -> &Parameter {
        &self.parameters[index]
    }

    /// Length of the flat vector in floats.
    pub fn len(&self) -> usize {
        self.parameters.last().map_or(0, |p| p.range().end)
    }

    /// True if there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The flat vector at the start of training.
    pub fn initial_values(&self, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; self.len()];
        for (i, p) in self.parameters.iter().enumerate() {
            let stream = Philox::new(seed, Purpose::Weights, i as u64, 0);
            p.initializer.fill(stream, &mut values[p.range()]);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_each_other_without_gaps() {
        let mut table = ParameterTable::new();
        table.push("a", [2, 3].into(), ParameterKind::Trainable, Initializer::Ones).unwrap();
        table.push("b", [4].into(), ParameterKind::Frozen, Initializer::Zeros).unwrap();
        assert_eq!(table.get("b").unwrap().range(), 6..10);
        assert!(table.push("a", [1].into(), ParameterKind::Frozen, Initializer::Zeros).is_err());
    }

    #[test]
    fn initial_values_depend_on_the_seed_alone() {
        let mut table = ParameterTable::new();
        let init = Initializer::GlorotUniform { fan_in: 10, fan_out: 20 };
        table.push("w", [10, 20].into(), ParameterKind::Trainable, init).unwrap();
        assert_eq!(table.initial_values(1), table.initial_values(1));
        assert_ne!(table.initial_values(1), table.initial_values(2));
        let bound = (6.0f32 / 30.0).sqrt();
        assert!(table.initial_values(1).iter().all(|v| v.abs() <= bound));
    }
}
