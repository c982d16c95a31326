//! The gradient of reductions.

use super::Kind;
use super::kernel::Reduction;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, OpError, TensorType};
use tensor::Shape;

/// dx of a reduction. Sources: dy, x, y.
#[derive(Clone, Debug)]
pub(super) struct ReduceBackward {
    pub reduction: Reduction,
    pub shape: Shape,
}

impl Op for ReduceBackward {
    fn name(&self) -> &'static str {
        "ReduceBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.shape.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let reduction = self.reduction.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let (dy, others, dx) = (src[0], &src[1..], &mut *dst[0]);
            for (group, (&base, &dy)) in reduction.groups.iter().zip(dy).enumerate() {
                let slope = |at: usize| match others {
                    [x, y] => slope(&reduction, base, x, y[group], at),
                    _ => spread(&reduction),
                };
                for &member in &reduction.members {
                    dx[base + member] = dy * slope(base + member);
                }
            }
        })
    }

    fn reads(&self, src: usize) -> bool {
        src == 0 || !matches!(self.reduction.kind, Kind::Sum | Kind::Mean)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(&src[..2], dst, 2.0)
    }
}

/// ∂y/∂x of a sum or mean.
fn spread(reduction: &Reduction) -> f32 {
    match reduction.kind {
        Kind::Mean => 1.0 / reduction.members.len() as f32,
        _ => 1.0,
    }
}

/// ∂y/∂x at one element of the group that begins at `base`.
fn slope(reduction: &Reduction, base: usize, x: &[f32], y: f32, at: usize) -> f32 {
    let value = x[at];
    let group = || reduction.members.iter().map(|&member| base + member);
    match reduction.kind {
        Kind::Sum | Kind::Mean => spread(reduction),
        Kind::Prod if value != 0.0 => y / value,
        Kind::Prod => group().filter(|&other| other != at).map(|other| x[other]).product(),
        Kind::Max | Kind::Min if value == y => {
            1.0 / group().filter(|&other| x[other] == y).count() as f32
        }
        Kind::Max | Kind::Min => 0.0,
        Kind::L1 if value == 0.0 => 0.0,
        Kind::L1 => value.signum(),
        Kind::L2 if y == 0.0 => 0.0,
        Kind::L2 => value / y,
        Kind::SumSquare => 2.0 * value,
        Kind::LogSum => (-y).exp(),
        Kind::LogSumExp => (value - y).exp(),
    }
}
