//! What an op is: shapes, gradient, kernel.

use crate::activation::Activation;
use crate::autodiff::Gradient;
use crate::compiler::Compiler;
use crate::{Error, Graph, OpError, Takes, TensorType, ValueId};
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use tensor::{DType, Shape, Tensor, View, ViewMut};

/// Arithmetic and memory traffic of an op.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Additions and multiplications.
    pub flops: f64,
    /// Bytes read and written, each operand once.
    pub bytes: f64,
}

/// An operation on tensors, with ONNX's name, attributes and semantics.
///
/// The implementing struct holds the settings; its serde form is the saved form. Gradients are
/// ops too, private to the file of the op they belong to.
pub trait Op: Any + Debug + Send + Sync {
    /// ONNX's name of the op.
    fn name(&self) -> &'static str;

    /// Types and shapes of the outputs.
    ///
    /// # Errors
    /// [`OpError`] if the operands do not fit, [`OpError::DependsOnData`] if only their content
    /// could tell.
    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError>;

    /// The outputs, if the types of the sources tell them already, as those of `Shape`.
    ///
    /// # Errors
    /// [`OpError`] if the operands do not fit.
    fn known(&self, _src: &[&TensorType]) -> Result<Option<Vec<Tensor>>, OpError> {
        Ok(None)
    }

    /// Computes the outputs, in plain code over any types. An op implements this, `compile` or
    /// both; what is missing is made from the other.
    ///
    /// # Errors
    /// [`OpError`] if the operands do not fit, [`OpError::NotEvaluated`] if the op only compiles.
    fn evaluate(&self, _src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        Err(OpError::NotEvaluated)
    }

    /// Adds the nodes that compute the gradients of the sources.
    ///
    /// # Errors
    /// [`Error::NotDifferentiable`] unless the op says how.
    fn differentiate(&self, gradient: &mut Gradient<'_>) -> Result<(), Error> {
        Err(gradient.refuse())
    }

    /// Adds the nodes that the op is made of, in place of one of its own, and gives their results;
    /// none for an op that is a node. The sources are such as [`Op::infer`] accepted.
    ///
    /// # Errors
    /// [`Error::Op`] if the parts do not fit.
    fn compose(
        &self,
        _graph: &mut Graph,
        _name: &str,
        _src: &[ValueId],
    ) -> Result<Option<Vec<ValueId>>, Error> {
        Ok(None)
    }

    /// Emits the steps that compute this op: oneDNN's primitive, or the plain kernel where
    /// oneDNN is absent or declines.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a primitive cannot be made.
    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compiler.evaluate()
    }

    /// True if `compile` copes with sources of these types; for others `evaluate` is called, with
    /// floats as f32 if need be.
    fn compiles(&self, src: &[DType]) -> bool {
        src.iter().all(|&dtype| dtype == DType::F32)
    }

    /// In which elements a plan in bf16 may hand source `src` to `compile`.
    fn takes(&self, _src: usize) -> Takes {
        Takes::F32
    }

    /// True if the outputs depend on the sources alone, so that constants give constants.
    fn is_deterministic(&self) -> bool {
        true
    }

    /// Arithmetic and traffic; element-wise by default.
    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 1.0)
    }

    /// The same op with an activation applied to its first output, if it can do both in one pass.
    fn with_activation(&self, _activation: Activation) -> Option<Arc<dyn Op>> {
        None
    }

    /// The activation that this op is.
    fn as_activation(&self) -> Option<Activation> {
        None
    }

    /// The same op with one more source, of the first output's type, that is added to it before
    /// any activation; if it can do both in one pass.
    fn with_sum(&self) -> Option<Arc<dyn Op>> {
        None
    }

    /// The axis of source 1, the weights, along which the channels of the output run; if the output
    /// is linear in them, and source 2, if there is one, is a bias for each of the channels.
    fn channels_of_weights(&self, _src: &[&Shape]) -> Option<usize> {
        None
    }

    /// True if the first output is the first source.
    fn passes_through(&self) -> bool {
        false
    }

    /// True if `compile` copes with sources that have no element. For other ops all results are
    /// then zero or empty, without asking them.
    fn takes_empty(&self) -> bool {
        false
    }

    /// False for a source of which only shape and layout matter, so that its memory may be reused.
    fn reads(&self, _src: usize) -> bool {
        true
    }
}

/// `per_element` operations for each element of the first output.
pub(crate) fn elementwise_cost(src: &[Shape], dst: &[Shape], per_element: f64) -> Cost {
    let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
    Cost { flops: per_element * dst.first().map_or(0.0, |d| d.len() as f64), bytes }
}

/// A plain kernel: one step on row-major f32 operands.
pub trait Kernel: Send + Sync + 'static {
    /// Computes the destinations from the sources; allocates nothing.
    fn run(&self, src: &[&[f32]], dst: &mut [&mut [f32]], run: &RunContext);

    /// True if the result depends on the run too, so that it cannot be kept with the weights.
    fn depends_on_run(&self) -> bool {
        false
    }
}

/// A plain kernel on row-major operands of any types.
pub trait TypedKernel: Send + Sync + 'static {
    /// Computes the destinations from the sources.
    ///
    /// # Errors
    /// [`OpError`] if what the sources hold does not fit, such as an index out of range.
    fn run(
        &self,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
        run: &RunContext,
    ) -> Result<(), OpError>;

    /// True if the result depends on the run too, so that it cannot be kept with the weights.
    fn depends_on_run(&self) -> bool {
        false
    }
}

impl<F> TypedKernel for F
where
    F: Fn(&[View<'_>], &mut [ViewMut<'_>]) -> Result<(), OpError> + Send + Sync + 'static,
{
    fn run(
        &self,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
        _run: &RunContext,
    ) -> Result<(), OpError> {
        self(src, dst)
    }
}

impl<F: Fn(&[&[f32]], &mut [&mut [f32]]) + Send + Sync + 'static> Kernel for F {
    fn run(&self, src: &[&[f32]], dst: &mut [&mut [f32]], _run: &RunContext) {
        self(src, dst);
    }
}

/// What a run is keyed by: random numbers of dropout depend on it and on nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunContext {
    /// Seed of the training.
    pub seed: u64,
    /// Iteration of the training.
    pub step: u64,
    /// Number of the shard (logical replica) that runs.
    pub replica: u64,
}
