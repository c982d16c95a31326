//! Tensors side by side.

use super::Slice;
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{infer_tensors, same_types};
use crate::{Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::{Attr, MemoryDesc, arg, ops::concat};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor, View, ViewMut, for_dtype};

/// The sources one after the other along an axis. ONNX `Concat`.
///
/// Shapes: sources equal but for the axis; y has the sum of their extents there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Concat {
    /// The axis; negative counts from the end.
    pub axis: i64,
}

impl Default for Concat {
    fn default() -> Concat {
        Concat { axis: 1 }
    }
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        same_types(src, |src| {
            expect_operands(src, 1..=usize::MAX)?;
            let axis = resolve_axis(self.axis, src[0].rank())?;
            let mut dims = src[0].dims().to_vec();
            for shape in &src[1..] {
                let mut other = shape.dims().to_vec();
                if let Some(extent) = other.get(axis).copied() {
                    dims[axis] += extent;
                    other[axis] = src[0].dims()[axis];
                }
                if other != src[0].dims() {
                    return Err(OpError::mismatch(
                        format!("shapes equal to {} but for axis {axis}", src[0]),
                        shape.to_string(),
                        "Pad or pool the inputs to the same extents.",
                    ));
                }
            }
            Ok(vec![Shape::from(dims)])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let axis = resolve_axis(self.axis, g.shape(diff).rank()).expect("checked by infer");
        let mut begin = 0;
        for i in 0..g.sources() {
            let extent = g.shape(g.src(i)).dims()[axis];
            if g.needs(i) {
                let part = g.emit(Slice::part(axis, begin, extent), &[diff])?[0];
                g.set(i, part);
            }
            begin += extent;
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let shape = compiler.dst_shape(0).clone();
        let axis = resolve_axis(self.axis, shape.rank()).expect("checked by infer");
        let n = compiler.sources();
        let f32 = compiler.dst_type(0).dtype == DType::F32;
        if f32 && compiler.onednn() && (0..n).all(|i| !compiler.src_shape(i).is_empty()) {
            let mds: Vec<MemoryDesc> =
                (0..n).map(|i| compiler.src_descriptor(i)).collect::<Result<_, _>>()?;
            let refs: Vec<&MemoryDesc> = mds.iter().collect();
            if let Some(pd) = compiler.offered(concat::forward(&refs, None, axis, &Attr::new()))? {
                let operand = |(i, md)| (i, arg::MULTIPLE_SRC + i as i32, md);
                let src: Vec<_> = mds.into_iter().enumerate().map(operand).collect();
                return compiler.primitive(&pd, &src, &[(0, arg::DST, pd.dst_md(0))]);
            }
        }
        let (row, parts) = rows(&shape, (0..n).map(|i| compiler.src_shape(i)), axis);
        let dtype = compiler.dst_type(0).dtype;
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            join(dtype, row, &parts, src, &mut dst[0])
        })
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let axis = resolve_axis(self.axis, ty.shape.rank())?;
        let (row, parts) = rows(&ty.shape, src.iter().map(|tensor| tensor.shape()), axis);
        let mut dst = Tensor::zeros(ty.dtype, ty.shape);
        let views: Vec<View<'_>> = src.iter().map(|tensor| tensor.view()).collect();
        join(ty.dtype, row, &parts, &views, &mut dst.view_mut())?;
        Ok(vec![dst])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }

    fn takes_empty(&self) -> bool {
        true
    }
}

/// Elements from the axis on: of the result, and of each source.
fn rows<'s>(dst: &Shape, src: impl Iterator<Item = &'s Shape>, axis: usize) -> (usize, Vec<usize>) {
    let row = |shape: &Shape| shape.dims()[axis..].iter().product::<usize>();
    (row(dst), src.map(row).collect())
}

fn join(
    dtype: DType,
    row: usize,
    parts: &[usize],
    src: &[View<'_>],
    dst: &mut ViewMut<'_>,
) -> Result<(), OpError> {
    for_dtype!(dtype, T => {
        for (i, mut row) in dst.get::<T>()?.chunks_exact_mut(row.max(1)).enumerate() {
            for (src, &part) in src.iter().zip(parts) {
                let (head, tail) = row.split_at_mut(part);
                head.copy_from_slice(&src.get::<T>()?[i * part..(i + 1) * part]);
                row = tail;
            }
        }
    });
    Ok(())
}
