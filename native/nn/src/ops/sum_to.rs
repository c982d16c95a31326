//! The gradient of broadcasting: a sum over the repeated dimensions.

use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, OpError, TensorType};
use tensor::Shape;

/// Sums a tensor down to `shape`, which broadcasts to the tensor's shape.
#[derive(Clone, Debug)]
pub(crate) struct SumTo {
    pub shape: Shape,
}

impl Op for SumTo {
    fn name(&self) -> &'static str {
        "SumTo"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.shape.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let src = compiler.src_shape(0).clone();
        let inner = src.dims().last().copied().unwrap_or(1).max(1);
        let strides = self.shape.broadcast_strides(&src);
        // The innermost dimension is either kept (added element by element) or summed up.
        let keeps = strides.last().is_some_and(|&s| s == 1);
        let rows = row_offsets(&src, &strides);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            for (row, &at) in src[0].chunks_exact(inner).zip(&rows) {
                if keeps {
                    dst[0][at..at + inner].iter_mut().zip(row).for_each(|(d, s)| *d += s);
                } else {
                    dst[0][at] += row.iter().sum::<f32>();
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, src, 1.0)
    }
}

/// Where each row (all dimensions but the last) of a tensor of shape `target` begins in a tensor
/// read with `strides`.
pub(super) fn row_offsets(target: &Shape, strides: &[usize]) -> Vec<usize> {
    let outer = target.rank().saturating_sub(1);
    let mut offsets = vec![0];
    for (&dim, &stride) in target.dims()[..outer].iter().zip(strides) {
        offsets = offsets.iter().flat_map(|o| (0..dim).map(move |i| o + i * stride)).collect();
    }
    offsets
}
