//! Running sums.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{infer_tensors, same_types};
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Data, Element, Shape, Tensor, Wide, for_elements};

/// y\[i\] = Σ x\[j\] for j ≤ i along one axis. ONNX `CumSum`. Shapes: x any number type, y the same.
///
/// Floats are summed up in f64; integers wrap around.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CumSum {
    /// The axis; negative counts from the end.
    pub axis: i64,
    /// Leave the element itself out of its sum.
    pub exclusive: bool,
    /// Sum from the end.
    pub reverse: bool,
}

impl CumSum {
    fn sums<T: Element>(&self, x: &[T], n: usize, inner: usize) -> Data
    where
        Data: From<Vec<T>>,
    {
        let mut y = vec![T::default(); x.len()];
        for line in 0..x.len() / n.max(1) {
            let (mut float, mut integer) = (0.0, 0i64);
            for i in 0..n {
                let i = if self.reverse { n - 1 - i } else { i };
                let at = (line / inner * n + i) * inner + line % inner;
                let before = (float, integer);
                match x[at].wide() {
                    Wide::Float(x) => float += x,
                    Wide::Int(x) => integer = integer.wrapping_add(x),
                    Wide::Uint(x) => integer = integer.wrapping_add(x as i64),
                }
                let sum = if self.exclusive { before } else { (float, integer) };
                y[at] = T::from_wide(match T::DTYPE.is_float() {
                    true => Wide::Float(sum.0),
                    false => Wide::Int(sum.1),
                });
            }
        }
        Data::from(y)
    }
}

impl Op for CumSum {
    fn name(&self) -> &'static str {
        "CumSum"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        same_types(src, |src| {
            expect_operands(src, 1..=1)?;
            resolve_axis(self.axis, src[0].rank())?;
            Ok(vec![src[0].clone()])
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let axis = resolve_axis(self.axis, ty.shape.rank())?;
        let (n, inner) = (ty.dims()[axis], ty.dims()[axis + 1..].iter().product());
        let data = for_elements!(Data, src[0].data(), x => self.sums(x, n, inner));
        Ok(vec![Tensor::new(ty.shape, data)?])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let op = CumSum { reverse: !self.reverse, ..self.clone() };
            let diff = g.emit(op, &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 1.0)
    }
}
