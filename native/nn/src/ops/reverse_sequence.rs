//! Sequences of different lengths, backwards.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor, for_dtype};

/// The first `lengths[b]` steps of each sequence b in reverse order, the rest as it is. ONNX
/// `ReverseSequence`.
///
/// Shapes: x \[time, batch, …\] or \[batch, time, …\], lengths \[batch\] (i64); y like x.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReverseSequence {
    /// Axis of the sequences' numbers, 0 or 1.
    pub batch_axis: usize,
    /// Axis of the steps, the other one.
    pub time_axis: usize,
}

impl Default for ReverseSequence {
    fn default() -> ReverseSequence {
        ReverseSequence { batch_axis: 1, time_axis: 0 }
    }
}

impl Op for ReverseSequence {
    fn name(&self) -> &'static str {
        "ReverseSequence"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let axes = [self.batch_axis, self.time_axis];
        let fits = src[0].shape.rank() >= 2
            && matches!(axes, [0, 1] | [1, 0])
            && src[1].dims() == [src[0].dims()[self.batch_axis]];
        if !fits || !src[1].dtype.is_integer() {
            return Err(OpError::mismatch(
                "src of at least two dimensions, axes 0 and 1, and one integer length per sequence",
                format!("src {}, axes {axes:?}, lengths {}", src[0], src[1]),
                "Put batch and time first.",
            ));
        }
        Ok(vec![src[0].clone()])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        infer_tensors(self, src)?;
        let (dims, lengths) = (src[0].dims(), src[1].to_i64s()?);
        let inner: usize = dims[2..].iter().product();
        let steps = dims[self.time_axis];
        let mut dst = src[0].clone();
        for (b, length) in lengths.into_iter().enumerate() {
            let length = usize::try_from(length).ok().filter(|&length| length <= steps);
            let length = length.ok_or_else(|| {
                OpError::mismatch(
                    format!("lengths of up to {steps} steps"),
                    format!("{:?}", src[1].data()),
                    "Give the number of steps of each sequence.",
                )
            })?;
            let place = |step: usize| match self.batch_axis {
                0 => (b * dims[1] + step) * inner,
                _ => (step * dims[1] + b) * inner,
            };
            for_dtype!(dst.dtype(), T => {
                let (mut view, x) = (dst.view_mut(), src[0].get::<T>()?);
                let y = view.get::<T>()?;
                for step in 0..length {
                    let (to, from) = (place(step), place(length - 1 - step));
                    y[to..to + inner].copy_from_slice(&x[from..from + inner]);
                }
            });
        }
        Ok(vec![dst])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let lengths = g.src(1);
            let diff = g.emit(self.clone(), &[diff, lengths])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}
