//! Sums of products outside f32: integers modulo 2⁶⁴, which is exact modulo their own range, and
//! floats in f64.

use crate::{OpError, TensorType};
use tensor::{DType, Held, Tensor};

/// i64, which wraps around, or f64.
pub(super) trait Number: Held {
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

impl Number for i64 {
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }

    fn times(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
}

impl Number for f64 {
    fn plus(self, other: f64) -> f64 {
        self + other
    }

    fn times(self, other: f64) -> f64 {
        self * other
    }
}

/// A computation on numbers.
pub(super) trait Compute {
    /// The elements of the result.
    fn compute<T: Number>(&self, src: &[&[T]]) -> Vec<T>;
}

/// The tensor of type `dst` that `computation` makes of the sources.
pub(super) fn compute(
    computation: &impl Compute,
    src: &[&Tensor],
    dst: &TensorType,
) -> Result<Tensor, OpError> {
    if dst.dtype.is_float() {
        by::<f64>(computation, src, dst, DType::F64)
    } else {
        by::<i64>(computation, src, dst, DType::I64)
    }
}

fn by<T: Number>(
    computation: &impl Compute,
    src: &[&Tensor],
    dst: &TensorType,
    dtype: DType,
) -> Result<Tensor, OpError> {
    let src: Vec<Tensor> = src.iter().map(|tensor| tensor.cast(dtype)).collect();
    let src: Vec<&[T]> = src.iter().map(Tensor::get).collect::<Result<_, _>>()?;
    let made = Tensor::new(dst.shape.clone(), T::hold(computation.compute(&src)))?;
    Ok(made.cast(dst.dtype))
}

/// Types of the outputs of an op on numbers: all operands and outputs have one type, not Bool, and
/// `shapes` gives the shapes.
pub(super) fn number_types(
    src: &[&TensorType],
    shapes: impl FnOnce(&[&tensor::Shape]) -> Result<Vec<tensor::Shape>, OpError>,
) -> Result<Vec<TensorType>, OpError> {
    if src.iter().any(|s| s.dtype == DType::Bool) {
        return Err(OpError::mismatch(
            "operands of numbers",
            "bool",
            "Cast the inputs to a type of numbers first.",
        ));
    }
    crate::tensor_type::same_types(src, shapes)
}
