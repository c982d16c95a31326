//! Functions of one element.

use super::super::node::{Made, Node};
use super::{Row, between, row};
use nn::ops::{
    Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, BitwiseNot, Cast, Ceil, Celu, Clip, Cos, Cosh, Elu,
    Erf, Exp, Floor, Gelu, HardSigmoid, HardSwish, IsInf, IsNaN, LeakyRelu, Log, Mish, Neg, Not,
    Reciprocal, Relu, Round, Selu, Shrink, Sigmoid, Sign, Sin, Sinh, Softplus, Softsign, Sqrt,
    Swish, Tan, Tanh, ThresholdedRelu,
};
use tensor::DType;

pub(super) const ROWS: &[Row] = &[
    row("Abs", 1, |n| n.map(Abs {})),
    row("Acos", 7, |n| n.map(Acos {})),
    row("Acosh", 9, |n| n.map(Acosh {})),
    row("Asin", 7, |n| n.map(Asin {})),
    row("Asinh", 9, |n| n.map(Asinh {})),
    row("Atan", 7, |n| n.map(Atan {})),
    row("Atanh", 9, |n| n.map(Atanh {})),
    row("BitwiseNot", 18, |n| n.map(BitwiseNot {})),
    between("Cast", 1, 5, |n| {
        let name = n.text("to")?.unwrap_or_default();
        let code = super::super::proto::tensor_proto::DataType::from_str_name(name);
        let dtype = code.and_then(|code| super::super::tensors::dtype(code as i32));
        let to = dtype.ok_or_else(|| n.fail(format!("elements of {name} are not supported")))?;
        n.map(Cast { to })
    }),
    row("Cast", 6, |n| {
        let to = n.dtype("to")?.ok_or_else(|| n.fail("expected the attribute to"))?;
        n.map(Cast { to })
    }),
    row("CastLike", 15, |n| {
        let (x, to) = (n.input(0)?, n.src_type(1)?.dtype);
        Ok(vec![n.one(Cast { to }, &[x])?.into()])
    }),
    row("Ceil", 1, |n| n.map(Ceil {})),
    row("Celu", 12, |n| n.map(Celu { alpha: n.float("alpha").unwrap_or(1.0) })),
    between("Clip", 1, 10, |n| {
        let limit = |name| n.float(name).map(f64::from);
        n.map(Clip { min: limit("min"), max: limit("max") })
    }),
    row("Clip", 11, |n| {
        let limit = |i| if n.has(i) { n.known_float(i).map(Some) } else { Ok(None) };
        let op = Clip { min: limit(1)?, max: limit(2)? };
        n.map_first(op)
    }),
    row("Cos", 7, |n| n.map(Cos {})),
    row("Cosh", 9, |n| n.map(Cosh {})),
    row("Elu", 1, |n| n.map(Elu { alpha: n.float("alpha").unwrap_or(1.0) })),
    row("Erf", 9, |n| n.map(Erf {})),
    row("Exp", 1, |n| n.map(Exp {})),
    row("Floor", 1, |n| n.map(Floor {})),
    row("Gelu", 20, |n| {
        let approximate = n.text("approximate")? == Some("tanh");
        n.map(Gelu { tanh: approximate })
    }),
    row("HardSigmoid", 1, |n| {
        let (alpha, beta) = (n.float("alpha").unwrap_or(0.2), n.float("beta").unwrap_or(0.5));
        n.map(HardSigmoid { alpha, beta })
    }),
    row("HardSwish", 14, |n| n.map(HardSwish {})),
    row("IsInf", 10, |n| {
        let detects = |name| n.int(name) != Some(0);
        let op = IsInf {
            detect_negative: detects("detect_negative"),
            detect_positive: detects("detect_positive"),
        };
        n.map(op)
    }),
    row("IsNaN", 9, |n| n.map(IsNaN {})),
    row("LeakyRelu", 1, |n| n.map(LeakyRelu { alpha: n.float("alpha").unwrap_or(0.01) })),
    row("Log", 1, |n| n.map(Log {})),
    row("Mish", 18, |n| n.map(Mish {})),
    row("Neg", 1, |n| n.map(Neg {})),
    row("Not", 1, |n| n.map(Not {})),
    row("Reciprocal", 1, |n| n.map(Reciprocal {})),
    row("Relu", 1, relu),
    row("Round", 11, |n| n.map(Round {})),
    between("Selu", 1, 5, |n| selu(n, 1.6732, 1.0507)),
    row("Selu", 6, |n| selu(n, Selu::default().alpha, Selu::default().gamma)),
    row("Shrink", 9, |n| {
        let (lambd, bias) = (n.float("lambd").unwrap_or(0.5), n.float("bias").unwrap_or(0.0));
        let x = n.input(0)?;
        let integers = Some(n.ty(x).dtype).filter(|dtype| dtype.is_integer());
        // Of integers the result is an integer too, cut off as ONNX's casts do.
        let float = if integers.is_some() { n.one(Cast { to: DType::F64 }, &[x])? } else { x };
        let y = n.one(Shrink { lambd, bias }, &[float])?;
        Ok(vec![match integers {
            Some(to) => n.one(Cast { to }, &[y])?.into(),
            None => y.into(),
        }])
    }),
    row("Sigmoid", 1, |n| n.map(Sigmoid {})),
    row("Sign", 9, |n| n.map(Sign {})),
    row("Sin", 7, |n| n.map(Sin {})),
    row("Sinh", 9, |n| n.map(Sinh {})),
    row("Softplus", 1, |n| n.map(Softplus {})),
    row("Softsign", 1, |n| n.map(Softsign {})),
    row("Sqrt", 1, |n| n.map(Sqrt {})),
    row("Swish", 24, |n| n.map(Swish { alpha: n.float("alpha").unwrap_or(1.0) })),
    row("Tan", 7, |n| n.map(Tan {})),
    row("Tanh", 1, |n| n.map(Tanh {})),
    row("ThresholdedRelu", 10, |n| {
        n.map(ThresholdedRelu { alpha: n.float("alpha").unwrap_or(1.0) })
    }),
];

/// Of integers it is their upper part.
fn relu(n: &mut Node<'_, '_>) -> Made {
    if n.src_type(0)?.dtype.is_float() {
        n.map(Relu {})
    } else {
        n.map(Clip { min: Some(0.0), max: None })
    }
}

fn selu(n: &mut Node<'_, '_>, alpha: f32, gamma: f32) -> Made {
    let alpha = n.float("alpha").unwrap_or(alpha);
    let gamma = n.float("gamma").unwrap_or(gamma);
    n.map(Selu { alpha, gamma })
}
