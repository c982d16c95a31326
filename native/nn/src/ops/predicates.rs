//! Questions about one element, and the negation of truth values and bits.

use super::unary::map;
use crate::error::expect_operands;
use crate::op::Op;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Element, Held, Tensor, Wide, for_dtype};

/// y is true where x is not a number. ONNX `IsNaN`. Shapes: x any floats, y truth values alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IsNaN {}

/// y is true where x is infinite. ONNX `IsInf`. Shapes: x any floats, y truth values alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IsInf {
    /// −∞ counts.
    pub detect_negative: bool,
    /// +∞ counts.
    pub detect_positive: bool,
}

impl Default for IsInf {
    fn default() -> IsInf {
        IsInf { detect_negative: true, detect_positive: true }
    }
}

/// y is true where x is false. ONNX `Not`. Shapes: x any truth values, y the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Not {}

/// y is x with all bits inverted. ONNX `BitwiseNot`. Shapes: x any integers, y the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BitwiseNot {}

/// One operand of a kind of type; `made` is the type of the result.
fn infer(
    src: &[&TensorType],
    takes: fn(DType) -> bool,
    expected: &str,
    made: Option<DType>,
) -> Result<Vec<TensorType>, OpError> {
    expect_operands(src, 1..=1)?;
    let dtype = src[0].dtype;
    if !takes(dtype) {
        return Err(OpError::mismatch(expected, dtype.name(), "Cast the input first."));
    }
    Ok(vec![TensorType { dtype: made.unwrap_or(dtype), shape: src[0].shape.clone() }])
}

/// The answer for each element.
fn ask(src: &[&Tensor], f: impl Fn(f64) -> bool) -> Result<Vec<Tensor>, OpError> {
    let float = |x: Wide| if let Wide::Float(x) = x { x } else { 0.0 };
    Ok(vec![for_dtype!(src[0].dtype(), T => map::<T, bool>(src[0], |x| f(float(x.wide()))))?])
}

macro_rules! op {
    ($op:ident, $takes:expr, $expected:literal, $made:expr, |$settings:ident, $src:ident| $evaluate:expr) => {
        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                infer(src, $takes, $expected, $made)
            }

            fn differentiate(&self, _: &mut Gradient<'_>) -> Result<(), Error> {
                // The result is piecewise constant: nothing flows back.
                Ok(())
            }

            fn evaluate(&self, $src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                expect_operands($src, 1..=1)?;
                infer(&[&TensorType::of($src[0])], $takes, $expected, $made)?;
                let $settings = self;
                $evaluate
            }
        }
    };
}

op!(IsNaN, DType::is_float, "floats", Some(DType::Bool), |_op, src| ask(src, f64::is_nan));
op!(IsInf, DType::is_float, "floats", Some(DType::Bool), |op, src| ask(src, |x| {
    (x == f64::INFINITY && op.detect_positive) || (x == f64::NEG_INFINITY && op.detect_negative)
}));
op!(Not, |dtype| dtype == DType::Bool, "truth values", None, |_op, src| {
    Ok(vec![map::<bool, bool>(src[0], |x| !x)?])
});
op!(BitwiseNot, DType::is_integer, "integers", None, |_op, src| {
    Ok(vec![for_dtype!(src[0].dtype(), T => invert::<T>(src[0]))?])
});

fn invert<T: Held>(src: &Tensor) -> Result<Tensor, OpError> {
    map::<T, T>(src, |x| {
        T::from_wide(match x.wide() {
            Wide::Int(x) => Wide::Int(!x),
            Wide::Uint(x) => Wide::Uint(!x),
            float => float,
        })
    })
}
