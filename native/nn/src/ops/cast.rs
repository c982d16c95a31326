//! Conversion between element types.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Element, Tensor, View, ViewMut, for_dtype};

/// y = x in another element type. ONNX `Cast`. Shapes: x any, y the same.
///
/// Floats round to the nearest (ties to even) and towards zero to integers; integers wrap around;
/// everything but 0 is true. The gradient is that of y in the type of x, if both are floats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cast {
    /// The wanted type.
    pub to: DType,
}

impl Op for Cast {
    fn name(&self) -> &'static str {
        "Cast"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        Ok(vec![TensorType { dtype: self.to, shape: src[0].shape.clone() }])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let to = g.tensor_type(g.src(0)).dtype;
            let diff = g.emit(Cast { to }, &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compiler.typed_kernel(|src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            for_dtype!(src[0].dtype(), S => for_dtype!(dst[0].dtype(), D => {
                let each = dst[0].get::<D>()?.iter_mut().zip(src[0].get::<S>()?);
                each.for_each(|(d, s)| *d = D::from_wide(s.wide()));
            }));
            Ok(())
        })
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 1..=1)?;
        Ok(vec![src[0].cast(self.to)])
    }
}
