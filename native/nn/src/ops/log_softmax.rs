//! Logarithm of softmax.

use super::softmax::{Form, differentiate, infer};
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = x − log Σ e^x along one axis. ONNX `LogSoftmax`. Shapes: x any, y the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogSoftmax {
    /// The axis whose exponentials sum to 1; negative counts from the end.
    pub axis: i64,
}

impl Default for LogSoftmax {
    fn default() -> LogSoftmax {
        LogSoftmax { axis: -1 }
    }
}

impl Op for LogSoftmax {
    fn name(&self) -> &'static str {
        "LogSoftmax"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| infer(src, self.axis))
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        differentiate(Form { axis: self.axis, log: true }, g)
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        Form { axis: self.axis, log: true }.compile(compiler)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 4.0)
    }
}
