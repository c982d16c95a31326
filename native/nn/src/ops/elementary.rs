//! Elementary functions of one element.

use super::unary::{config, unary};
use onednn::ops::eltwise::Algorithm;
use std::f64::consts::FRAC_2_SQRT_PI;

unary! {
    /// y = |x|. ONNX `Abs`.
    Abs {} => {
        |_op, x| x.abs(),
        |_op, x, _y| if x == 0.0 { 0.0 } else { x.signum() },
        eltwise |_op| config(Algorithm::Abs, 0.0, 0.0),
        integer |_op, x| x.abs(),
    }

    /// y = −x. ONNX `Neg`.
    Neg {} => {
        |_op, x| -x,
        |_op, _x, _y| -1.0,
        eltwise |_op| config(Algorithm::Linear, -1.0, 0.0),
        integer |_op, x| -x,
    }

    /// y = 1 for x > 0, −1 for x < 0, else 0. ONNX `Sign`. The gradient is 0.
    Sign {} => {
        |_op, x| if x == 0.0 { 0.0 } else { x.signum() },
        |_op, _x, _y| 0.0,
        integer |_op, x| x.signum(),
    }

    /// y = √x. ONNX `Sqrt`.
    Sqrt {} => {
        |_op, x| x.sqrt(),
        |_op, _x, y| 0.5 / y,
        eltwise |_op| config(Algorithm::Sqrt, 0.0, 0.0),
    }

    /// y = eˣ. ONNX `Exp`.
    Exp {} => {
        |_op, x| x.exp(),
        |_op, _x, y| y,
        eltwise |_op| config(Algorithm::Exp, 0.0, 0.0),
    }

    /// y = ln x. ONNX `Log`.
    Log {} => {
        |_op, x| x.ln(),
        |_op, x, _y| 1.0 / x,
        eltwise |_op| config(Algorithm::Log, 0.0, 0.0),
    }

    /// y = 1 / x. ONNX `Reciprocal`.
    Reciprocal {} => {
        |_op, x| 1.0 / x,
        |_op, _x, y| -y * y,
    }

    /// y = 2/√π ∫₀ˣ e^−t² dt. ONNX `Erf`.
    Erf {} => {
        |_op, x| libm::erf(x),
        |_op, x, _y| FRAC_2_SQRT_PI * (-x * x).exp(),
    }

    /// y = ⌊x⌋. ONNX `Floor`. The gradient is 0.
    Floor {} => {
        |_op, x| x.floor(),
        |_op, _x, _y| 0.0,
    }

    /// y = ⌈x⌉. ONNX `Ceil`. The gradient is 0.
    Ceil {} => {
        |_op, x| x.ceil(),
        |_op, _x, _y| 0.0,
    }

    /// y = x rounded to the nearest integer, ties to even. ONNX `Round`. The gradient is 0.
    Round {} => {
        |_op, x| x.round_ties_even(),
        |_op, _x, _y| 0.0,
        eltwise |_op| config(Algorithm::Round, 0.0, 0.0),
    }
}
