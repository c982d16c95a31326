//! Trigonometric and hyperbolic functions; angles in radians.

use super::unary::unary;

unary! {
    /// y = sin x. ONNX `Sin`.
    Sin {} => {
        |_op, x| x.sin(),
        |_op, x, _y| x.cos(),
    }

    /// y = cos x. ONNX `Cos`.
    Cos {} => {
        |_op, x| x.cos(),
        |_op, x, _y| -x.sin(),
    }

    /// y = tan x. ONNX `Tan`.
    Tan {} => {
        |_op, x| x.tan(),
        |_op, _x, y| 1.0 + y * y,
    }

    /// y = arcsin x, NaN beyond ±1. ONNX `Asin`.
    Asin {} => {
        |_op, x| x.asin(),
        |_op, x, _y| 1.0 / (1.0 - x * x).sqrt(),
    }

    /// y = arccos x, NaN beyond ±1. ONNX `Acos`.
    Acos {} => {
        |_op, x| x.acos(),
        |_op, x, _y| -1.0 / (1.0 - x * x).sqrt(),
    }

    /// y = arctan x. ONNX `Atan`.
    Atan {} => {
        |_op, x| x.atan(),
        |_op, x, _y| 1.0 / (1.0 + x * x),
    }

    /// y = (eˣ − e⁻ˣ) / 2. ONNX `Sinh`.
    Sinh {} => {
        |_op, x| x.sinh(),
        |_op, x, _y| x.cosh(),
    }

    /// y = (eˣ + e⁻ˣ) / 2. ONNX `Cosh`.
    Cosh {} => {
        |_op, x| x.cosh(),
        |_op, x, _y| x.sinh(),
    }

    /// y = ln(x + √(x² + 1)). ONNX `Asinh`.
    Asinh {} => {
        |_op, x| x.asinh(),
        |_op, x, _y| 1.0 / (x * x + 1.0).sqrt(),
    }

    /// y = ln(x + √(x² − 1)), NaN below 1. ONNX `Acosh`.
    Acosh {} => {
        |_op, x| x.acosh(),
        |_op, x, _y| 1.0 / (x * x - 1.0).sqrt(),
    }

    /// y = ½ ln((1 + x) / (1 − x)), NaN beyond ±1. ONNX `Atanh`.
    Atanh {} => {
        |_op, x| x.atanh(),
        |_op, x, _y| 1.0 / (1.0 - x * x),
    }
}
