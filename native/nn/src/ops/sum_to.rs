//! The gradient of broadcasting: a sum over the repeated dimensions.

use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, OpError, Takes, TensorType};
use tensor::{Shape, View, ViewMut, bf16, math, vectorized};

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
        let rows = Rows { inner, keeps, at: row_offsets(&src, &strides) };
        compiler.kernel_as_given(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let dst = dst[0].get::<f32>()?;
            match src[0] {
                View::BF16(src) => sum_bf16(&rows, src, dst),
                src => sum_f32(&rows, src.get()?, dst),
            }
            Ok(())
        })
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, src, 1.0)
    }
}

/// Rows of `inner` elements, and the places that they are added to: to as many, or to one each.
struct Rows {
    inner: usize,
    keeps: bool,
    at: Vec<usize>,
}

impl Rows {
    #[inline(always)]
    fn sum<T: Copy>(&self, src: &[T], dst: &mut [f32], wide: impl Fn(T) -> f32) {
        dst.fill(0.0);
        for (row, &at) in src.chunks_exact(self.inner).zip(&self.at) {
            if self.keeps {
                let each = dst[at..at + self.inner].iter_mut().zip(row);
                each.for_each(|(d, &s)| *d += wide(s));
            } else {
                dst[at] += row.iter().map(|&s| wide(s)).sum::<f32>();
            }
        }
    }
}

vectorized! {
    fn sum_f32(rows: &Rows, src: &[f32], dst: &mut [f32]) {
        rows.sum(src, dst, |s| s);
    }

    fn sum_bf16(rows: &Rows, src: &[bf16], dst: &mut [f32]) {
        rows.sum(src, dst, math::from_bf16);
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
