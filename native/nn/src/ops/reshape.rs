//! Another view of the same numbers.

use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::{infer_tensors, same_types};
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// The same numbers in row-major order under other dimensions. ONNX `Reshape`.
///
/// Shapes: x any; y `shape`, where one −1 takes what is left and 0 copies x's dimension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reshape {
    /// The wanted dimensions.
    pub shape: Vec<i64>,
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        same_types(src, |src| {
            expect_operands(src, 1..=1)?;
            let refuse = || {
                OpError::mismatch(
                    format!("{} numbers, as src {} has", src[0].len(), src[0]),
                    format!("shape {:?}", self.shape),
                    "Use one −1 for the dimension that is left.",
                )
            };
            let mut dims = Vec::with_capacity(self.shape.len());
            let mut free = None;
            for (i, &dim) in self.shape.iter().enumerate() {
                match dim {
                    -1 if free.is_none() => {
                        free = Some(i);
                        dims.push(1);
                    }
                    0 => dims.push(*src[0].dims().get(i).ok_or_else(refuse)?),
                    _ => dims.push(usize::try_from(dim).map_err(|_| refuse())?),
                }
            }
            if let Some(i) = free {
                let known: usize = dims.iter().product();
                dims[i] = src[0].len().checked_div(known).unwrap_or(0);
            }
            let shape = Shape::from(dims);
            if shape.len() == src[0].len() { Ok(vec![shape]) } else { Err(refuse()) }
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        restore(g)
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compiler.alias()
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        same_elements(self, src)
    }

    fn cost(&self, _: &[Shape], _: &[Shape]) -> Cost {
        Cost::default()
    }
}

/// The gradient of a view is the gradient under the source's dimensions.
pub(super) fn restore(g: &mut Gradient<'_>) -> Result<(), Error> {
    if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
        let shape = g.shape(g.src(0)).dims().iter().map(|&d| d as i64).collect();
        let diff = g.emit(Reshape { shape }, &[diff])?[0];
        g.set(0, diff);
    }
    Ok(())
}

/// What a view makes of its source.
pub(super) fn same_elements(op: &dyn Op, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    let made = infer_tensors(op, src)?
        .into_iter()
        .zip(src)
        .map(|(ty, src)| (*src).clone().reshaped(ty.shape));
    Ok(made.collect::<Result<_, _>>()?)
}
