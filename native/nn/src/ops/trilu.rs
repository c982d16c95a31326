//! Triangles of matrices.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{infer_tensors, same_types};
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor, View, ViewMut, for_dtype};

/// The upper or lower triangle of the last two dimensions, zeros elsewhere. ONNX `Trilu`.
///
/// Shapes: x \[…, rows, columns\], y the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trilu {
    /// Keep what is on and above the diagonal; otherwise what is on and below it.
    pub upper: bool,
    /// The diagonal: positive ones lie above the main diagonal.
    pub k: i64,
}

impl Default for Trilu {
    fn default() -> Trilu {
        Trilu { upper: true, k: 0 }
    }
}

impl Trilu {
    fn copy<T: Copy + Default>(&self, columns: usize, rows: usize, src: &[T], dst: &mut [T]) {
        let lines = dst.chunks_exact_mut(columns.max(1)).zip(src.chunks_exact(columns.max(1)));
        for (i, (dst, src)) in lines.enumerate() {
            let row = (i % rows.max(1)) as i64;
            // The first column on the diagonal, or behind it.
            let at = row.saturating_add(self.k).saturating_add(i64::from(!self.upper));
            let at = at.clamp(0, columns as i64) as usize;
            dst.copy_from_slice(src);
            if self.upper { &mut dst[..at] } else { &mut dst[at..] }.fill(T::default());
        }
    }

    fn run(&self, shape: &Shape, src: View<'_>, dst: &mut ViewMut<'_>) -> Result<(), OpError> {
        let (rows, columns) = sizes(shape)?;
        for_dtype!(src.dtype(), T => self.copy(columns, rows, src.get::<T>()?, dst.get::<T>()?));
        Ok(())
    }
}

/// Rows and columns of a stack of matrices.
fn sizes(shape: &Shape) -> Result<(usize, usize), OpError> {
    match *shape.dims() {
        [.., rows, columns] => Ok((rows, columns)),
        _ => Err(OpError::mismatch(
            "a matrix or a stack of them",
            shape.to_string(),
            "Reshape the input to at least two dimensions.",
        )),
    }
}

impl Op for Trilu {
    fn name(&self) -> &'static str {
        "Trilu"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        same_types(src, |src| {
            expect_operands(src, 1..=1)?;
            sizes(src[0])?;
            Ok(vec![src[0].clone()])
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let ty = infer_tensors(self, src)?.swap_remove(0);
        let mut dst = Tensor::zeros(ty.dtype, ty.shape);
        self.run(src[0].shape(), src[0].view(), &mut dst.view_mut())?;
        Ok(vec![dst])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let diff = g.emit(self.clone(), &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (op, shape) = (self.clone(), compiler.src_shape(0).clone());
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            op.run(&shape, src[0], &mut dst[0])
        })
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}
