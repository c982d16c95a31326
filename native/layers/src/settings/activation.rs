//! ActivationFunction functions by name.

use crate::argument::{Argument, Kind};
use crate::layer::Scope;
use nn::{ValueId, ops};
use serde_json::Value;

/// An element-wise (or, for the softmaxes, row-wise) function at the end of a layer.
///
/// The softmaxes run along the last axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActivationFunction {
    /// `x`.
    #[default]
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `tanh(x)`.
    Tanh,
    /// `1 / (1 + exp(−x))`.
    Sigmoid,
    /// `x · Φ(x)` with the normal distribution function `Φ`.
    Gelu,
    /// `exp(x) / Σ exp(x)`.
    Softmax,
    /// `x − log Σ exp(x)`.
    LogSoftmax,
}

impl ActivationFunction {
    /// All activations.
    pub const ALL: [Self; 7] = [
        Self::Linear,
        Self::Relu,
        Self::Tanh,
        Self::Sigmoid,
        Self::Gelu,
        Self::Softmax,
        Self::LogSoftmax,
    ];

    /// Name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Gelu => "gelu",
            Self::Softmax => "softmax",
            Self::LogSoftmax => "log_softmax",
        }
    }

    /// Adds the function to the graph of a layer.
    pub(crate) fn build(self, scope: &mut Scope, src: ValueId) -> Result<ValueId, nn::Error> {
        match self {
            Self::Linear => Ok(src),
            Self::Relu => scope.add(ops::Relu::default(), &[src]),
            Self::Tanh => scope.add(ops::Tanh::default(), &[src]),
            Self::Sigmoid => scope.add(ops::Sigmoid::default(), &[src]),
            Self::Gelu => scope.add(ops::Gelu::default(), &[src]),
            Self::Softmax => scope.add(ops::Softmax { axis: -1 }, &[src]),
            Self::LogSoftmax => scope.add(ops::LogSoftmax { axis: -1 }, &[src]),
        }
    }
}

impl Argument for ActivationFunction {
    const KIND: Kind = Kind::Activation;

    fn read(value: &Value) -> Option<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|activation| activation.name() == name)
    }

    fn write(&self) -> Value {
        Value::from(self.name())
    }
}
