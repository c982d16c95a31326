//! Rows by their numbers.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use tensor::{DType, Shape, Tensor, View, ViewMut, for_dtype};

/// y = x with its axis replaced by the positions in the indices: y\[…, i, …\] = x\[…, indices\[i\], …\].
/// ONNX `Gather`; the lookup of an embedding.
///
/// Shapes: x any, indices any (i32 or i64, negative from the end); y the dimensions of x before the
/// axis, those of the indices, those of x behind it. Indices out of range are an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gather {
    /// The axis; negative counts from the end.
    pub axis: i64,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "Gather"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        expect_indices(src[1].dtype)?;
        let axis = resolve_axis(self.axis, src[0].shape.rank())?;
        let (before, behind) = src[0].dims().split_at(axis);
        let dims = [before, src[1].dims(), &behind[1..]].concat();
        Ok(vec![src[0].with_shape(dims)])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let rows = Rows::new(src[0].shape(), resolve_axis(self.axis, src[0].shape().rank())?);
        let mut dst = Tensor::zeros(ty.dtype, ty.shape);
        let pieces = 0..rows.outer * src[1].shape().len();
        rows.gather(pieces, src[0].view(), src[1].view(), &mut dst.view_mut())?;
        Ok(vec![dst])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let (indices, shape) = (g.src(1), g.shape(g.src(0)));
            let axis = resolve_axis(self.axis, shape.rank()).expect("checked by infer");
            let diff = g.emit(GatherBackward { axis, shape }, &[diff, indices])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let shape = compiler.src_shape(0);
        let axis = resolve_axis(self.axis, shape.rank()).expect("checked by infer");
        let rows = Rows::new(shape, axis);
        let pieces = rows.outer * compiler.src_shape(1).len();
        let kernel = move |pieces, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            rows.gather(pieces, src[0], src[1], &mut dst[0])
        };
        compiler.piece_kernel(pieces, kernel, &[0])
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn cost(&self, _: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, dst, 0.0)
    }
}

/// dx of a lookup: each row of dy is added to the row that it came from, in the order of the
/// indices. Sources: dy, indices.
#[derive(Clone, Debug)]
struct GatherBackward {
    axis: usize,
    shape: Shape,
}

impl Op for GatherBackward {
    fn name(&self) -> &'static str {
        "GatherBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(self.shape.clone())])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let rows = Rows::new(&self.shape, self.axis);
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let (dy, dx) = (src[0].get::<f32>()?, dst[0].get::<f32>()?);
            dx.fill(0.0);
            rows.each(0..rows.outer * src[1].len(), src[1], |to, from| {
                let (sums, dy) = (&mut dx[from..from + rows.inner], &dy[to..to + rows.inner]);
                sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
            })
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        src[0] == DType::F32
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(&src[..1], dst, 0.0)
    }
}

/// A tensor as rows along an axis.
#[derive(Clone, Copy, Debug)]
struct Rows {
    outer: usize,
    n: usize,
    inner: usize,
}

impl Rows {
    fn new(shape: &Shape, axis: usize) -> Rows {
        let (before, behind) = shape.dims().split_at(axis);
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        Rows { outer: product(before), n: behind[0], inner: product(&behind[1..]) }
    }

    /// Calls `visit` for these of the gathered rows, with the place of each among them and in the
    /// tensor.
    fn each(
        &self,
        rows: Range<usize>,
        indices: View<'_>,
        visit: impl FnMut(usize, usize),
    ) -> Result<(), OpError> {
        match indices {
            View::I32(indices) => self.each_of(rows, indices, visit),
            indices => self.each_of(rows, indices.get::<i64>()?, visit),
        }
    }

    fn each_of<I: Copy + Into<i64>>(
        &self,
        rows: Range<usize>,
        indices: &[I],
        mut visit: impl FnMut(usize, usize),
    ) -> Result<(), OpError> {
        let count = indices.len().max(1);
        let (mut outer, mut i) = (rows.start / count, rows.start % count);
        for to in 0..rows.len() {
            let row = resolve_index(indices[i].into(), self.n)?;
            visit(to * self.inner, (outer * self.n + row) * self.inner);
            i += 1;
            if i == indices.len() {
                (outer, i) = (outer + 1, 0);
            }
        }
        Ok(())
    }

    fn gather(
        &self,
        rows: Range<usize>,
        src: View<'_>,
        indices: View<'_>,
        dst: &mut ViewMut<'_>,
    ) -> Result<(), OpError> {
        let inner = self.inner;
        for_dtype!(src.dtype(), T => {
            let (src, dst) = (src.get::<T>()?, dst.get::<T>()?);
            self.each(rows, indices, |to, from| {
                dst[to..to + inner].copy_from_slice(&src[from..from + inner]);
            })
        })
    }
}

/// Error unless indices of this type can be read.
pub(super) fn expect_indices(dtype: DType) -> Result<(), OpError> {
    if matches!(dtype, DType::I32 | DType::I64) {
        return Ok(());
    }
    let remedy = "Cast the indices to i64 first.";
    Err(OpError::mismatch("indices of type i32 or i64", dtype.name(), remedy))
}

/// Position of an index that may count from the end.
pub(super) fn resolve_index(index: i64, n: usize) -> Result<usize, OpError> {
    let at = if index < 0 { index.saturating_add(n as i64) } else { index };
    usize::try_from(at).ok().filter(|&at| at < n).ok_or_else(|| {
        OpError::mismatch(
            format!("indices of {n} positions"),
            format!("index {index}"),
            "Indices count from 0, or from −1 at the end.",
        )
    })
}
