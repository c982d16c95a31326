//! Comparisons of two elements, and logic of truth values and bits.

use super::pairs::{broadcast, zip};
use crate::op::Op;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Held, Tensor, Wide, for_dtype};

/// Defines an op of two operands of one type: what it takes, the type it makes, how.
macro_rules! op {
    ($(#[$doc:meta])* $op:ident $takes:expr, $expected:literal, $made:expr, $evaluate:expr) => {
        $(#[$doc])*
        ///
        /// Shapes: a and b broadcast to y (dimensions equal or 1).
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $op {}

        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                let like = broadcast(src, $takes, $expected)?;
                Ok(vec![TensorType { dtype: Option::unwrap_or($made, like.dtype), ..like }])
            }

            fn differentiate(&self, _: &mut Gradient<'_>) -> Result<(), Error> {
                // The result is piecewise constant: nothing flows back.
                Ok(())
            }

            fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                crate::tensor_type::infer_tensors(self, src)?;
                let (a, b) = (src[0], src[1]);
                let dtype = a.dtype();
                let made: Result<Tensor, OpError> = $evaluate(a, b, dtype);
                Ok(vec![made?])
            }
        }
    };
}

macro_rules! comparison {
    ($($(#[$doc:meta])* $op:ident $compare:tt;)*) => {$(op! {
        $(#[$doc])*
        $op |_: DType| true, "of any kind", Some(DType::Bool),
        |a, b, dtype| for_dtype!(dtype, T => zip::<T, bool>(a, b, |a, b| a $compare b))
    })*};
}

comparison! {
    /// y is true where a = b. ONNX `Equal`.
    Equal ==;
    /// y is true where a < b. ONNX `Less`.
    Less <;
    /// y is true where a ≤ b. ONNX `LessOrEqual`.
    LessOrEqual <=;
    /// y is true where a > b. ONNX `Greater`.
    Greater >;
    /// y is true where a ≥ b. ONNX `GreaterOrEqual`.
    GreaterOrEqual >=;
}

macro_rules! logic {
    ($($(#[$doc:meta])* $op:ident $combine:tt;)*) => {$(op! {
        $(#[$doc])*
        $op |dtype: DType| dtype == DType::Bool, "truth values", None,
        |a, b, _| zip::<bool, bool>(a, b, |a, b| a $combine b)
    })*};
}

logic! {
    /// y is true where a and b are. ONNX `And`.
    And &;
    /// y is true where a or b is. ONNX `Or`.
    Or |;
    /// y is true where one of a and b is. ONNX `Xor`.
    Xor ^;
}

macro_rules! bitwise {
    ($($(#[$doc:meta])* $op:ident |$a:ident, $b:ident| $combine:expr;)*) => {$(op! {
        $(#[$doc])*
        $op DType::is_integer, "integers", None,
        |a, b, dtype| for_dtype!(dtype, T => bits::<T>(a, b, |$a, $b| $combine))
    })*};
}

bitwise! {
    /// y has the bits that a and b have. ONNX `BitwiseAnd`.
    BitwiseAnd |a, b| a & b;
    /// y has the bits that a or b has. ONNX `BitwiseOr`.
    BitwiseOr |a, b| a | b;
    /// y has the bits that one of a and b has. ONNX `BitwiseXor`.
    BitwiseXor |a, b| a ^ b;
    /// y is a moved by b bits to the left, without what leaves it. ONNX `BitShift` with direction
    /// "LEFT".
    ShiftLeft |a, b| if (0..64).contains(&b) { a << b } else { 0 };
    /// y is a moved by b bits to the right; bits like the sign's move in from the left. ONNX
    /// `BitShift` with direction "RIGHT".
    ShiftRight |a, b| a >> if (0..64).contains(&b) { b } else { 64 };
}

/// Combines the bits of two integers, which are extended to 128 with their signs.
fn bits<T: Held>(
    a: &Tensor,
    b: &Tensor,
    f: impl Fn(i128, i128) -> i128,
) -> Result<Tensor, OpError> {
    let raw = |x: T| match x.wide() {
        Wide::Int(x) => x.into(),
        Wide::Uint(x) => x.into(),
        Wide::Float(_) => 0,
    };
    zip::<T, T>(a, b, |a, b| T::from_wide(Wide::Uint(f(raw(a), raw(b)) as u64)))
}
