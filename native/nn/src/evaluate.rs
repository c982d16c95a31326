//! Each of the two ways in which an op can say what it computes, made from the other.

use crate::op::{Op, RunContext, TypedKernel};
use crate::tensor_type::infer_tensors;
use crate::{
    Error, Graph, OpError, ParameterTable, Plan, PlanOptions, Prepared, TensorType, Workspace,
};
use std::sync::Arc;
use tensor::{Buffer, DType, Tensor, View, ViewMut};

/// What an op makes of these tensors: its own [`Op::evaluate`], or a plan of one node that is
/// compiled and run at once. Floats that the op has no kernel for are computed as f32.
///
/// # Errors
/// [`OpError`] if the operands do not fit.
pub fn evaluate(op: &Arc<dyn Op>, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    match op.evaluate(src) {
        Err(OpError::NotEvaluated) => by_plan(op, src),
        made => made,
    }
}

fn by_plan(op: &Arc<dyn Op>, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    let results = infer_tensors(&**op, src)?;
    let dtypes: Vec<DType> = src.iter().map(|tensor| tensor.dtype()).collect();
    let compiled: Vec<DType> = match op.compiles(&dtypes) {
        true => dtypes,
        false => dtypes.iter().map(|&d| if d.is_float() { DType::F32 } else { d }).collect(),
    };
    if !op.compiles(&compiled) {
        let got: Vec<&str> = compiled.iter().map(|dtype| dtype.name()).collect();
        return Err(OpError::mismatch(
            "operands of float types",
            got.join(" and "),
            "Cast the inputs to f32 first.",
        ));
    }
    let cast: Vec<Tensor> =
        src.iter().zip(&compiled).map(|(tensor, &dtype)| tensor.cast(dtype)).collect();
    let made = run(op, &cast).map_err(|error| match error {
        Error::Op { source, .. } => source,
        Error::Tensor(source) => OpError::Tensor(source),
        error => OpError::Plan(Box::new(error)),
    })?;
    Ok(made.into_iter().zip(results).map(|(tensor, like)| tensor.cast(like.dtype)).collect())
}

fn run(op: &Arc<dyn Op>, src: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    let mut graph = Graph::new(ParameterTable::new());
    let inputs: Vec<_> = src.iter().map(|t| graph.input("src", TensorType::of(t))).collect();
    for value in graph.add_shared("evaluate", op.clone(), &inputs)? {
        graph.output("dst", value);
    }
    let plan = Arc::new(Plan::compile(&graph, PlanOptions::default())?);
    let mut prepared = Prepared::new(&plan)?;
    prepared.prepare(&Arc::new(Buffer::new(0)?))?;
    let mut workspace = Workspace::new(&prepared)?;
    for (i, tensor) in src.iter().enumerate() {
        workspace.set_input_tensor(i, tensor)?;
    }
    workspace.run(&RunContext::default(), None)?;
    (0..graph.outputs().len()).map(|o| workspace.output_tensor(o)).collect()
}

/// A step that evaluates an op.
pub(crate) struct Evaluate {
    pub op: Arc<dyn Op>,
    pub src: Vec<TensorType>,
    /// The op has no steps of its own, so that a plan of one node would lead back here.
    pub only: bool,
}

impl TypedKernel for Evaluate {
    fn run(
        &self,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
        _: &RunContext,
    ) -> Result<(), OpError> {
        let src: Vec<Tensor> = src
            .iter()
            .zip(&self.src)
            .map(|(view, like)| Tensor::new(like.shape.clone(), view.to_data()))
            .collect::<Result<_, _>>()?;
        let src: Vec<&Tensor> = src.iter().collect();
        let made = if self.only { self.op.evaluate(&src)? } else { evaluate(&self.op, &src)? };
        for (dst, tensor) in dst.iter_mut().zip(&made) {
            dst.copy_from(tensor.view())?;
        }
        Ok(())
    }
}
