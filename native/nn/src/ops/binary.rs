//! Add and Mul with broadcasting.

use super::pairs::{self, Pair};
use super::sum_to::{SumTo, row_offsets};
use crate::op::Op;
use crate::{Activation, Compiler, Error, Gradient, OpError, Takes, TensorType, ValueId};
use onednn::ops::binary;
use onednn::{Attr, arg};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensor::Tensor;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Add,
    Mul,
}

impl Pair for Kind {
    fn apply(&self, a: f64, b: f64) -> f64 {
        match self {
            Kind::Add => a + b,
            Kind::Mul => a * b,
        }
    }

    fn integer(&self, a: i128, b: i128) -> Option<i128> {
        Some(match self {
            Kind::Add => a + b,
            Kind::Mul => a.wrapping_mul(b),
        })
    }
}

/// y = a + b. ONNX `Add`. Shapes: a and b broadcast to y (dimensions equal or 1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Add {
    /// Activation fused behind the sum.
    #[serde(skip)]
    pub(crate) activation: Option<Activation>,
}

/// y = a · b, element by element. ONNX `Mul`. Shapes: a and b broadcast to y.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mul {}

impl Op for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        pairs::infer(&Kind::Add, src)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        match self.activation {
            Some(_) => Err(OpError::NotEvaluated),
            None => pairs::evaluate(&Kind::Add, src),
        }
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        for i in 0..2 {
            if g.needs(i) {
                let diff = sum_to_source(g, i, dy)?;
                g.set(i, diff);
            }
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compile(Kind::Add, self.activation, compiler)
    }

    fn with_activation(&self, activation: Activation) -> Option<Arc<dyn Op>> {
        let fused = Add { activation: Some(activation) };
        self.activation.is_none().then(|| Arc::new(fused) as Arc<dyn Op>)
    }
}

impl Op for Mul {
    fn name(&self) -> &'static str {
        "Mul"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        pairs::infer(&Kind::Mul, src)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        pairs::evaluate(&Kind::Mul, src)
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        for i in 0..2 {
            if g.needs(i) {
                let other = g.src(1 - i);
                let product = g.emit(Mul {}, &[dy, other])?[0];
                let diff = sum_to_source(g, i, product)?;
                g.set(i, diff);
            }
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        compile(Kind::Mul, None, compiler)
    }
}

/// Sums a gradient over the dimensions in which source `i` was repeated.
pub(super) fn sum_to_source(
    g: &mut Gradient<'_>,
    i: usize,
    diff: ValueId,
) -> Result<ValueId, Error> {
    let shape = g.shape(g.src(i));
    if g.shape(diff) == shape {
        return Ok(diff);
    }
    Ok(g.emit(SumTo { shape }, &[diff])?[0])
}

fn compile(
    kind: Kind,
    activation: Option<Activation>,
    compiler: &mut Compiler<'_>,
) -> Result<(), Error> {
    let dst = compiler.dst_shape(0).clone();
    let (a, b) = (compiler.src_shape(0).clone(), compiler.src_shape(1).clone());
    // Broadcasting is left to the plain kernel; equal shapes keep the layout they come in.
    if compiler.onednn() && a == b {
        let md = compiler.src_descriptor(0)?;
        let algorithm = match kind {
            Kind::Add => binary::Algorithm::Add,
            Kind::Mul => binary::Algorithm::Mul,
        };
        let mut attr = Attr::new();
        if let Some(f) = activation {
            attr = attr.eltwise(f.algorithm(), 0.0, 0.0);
        }
        if let Some(pd) = compiler.offered(binary::forward(algorithm, &md, &md, &md, &attr))? {
            let src = [(0, arg::SRC_0, md.clone()), (1, arg::SRC_1, md.clone())];
            return compiler.primitive(&pd, &src, &[(0, arg::DST, md)]);
        }
    }
    let (sa, sb) = (a.broadcast_strides(&dst), b.broadcast_strides(&dst));
    let rows = (row_offsets(&dst, &sa), row_offsets(&dst, &sb));
    let steps = (sa.last().copied().unwrap_or(0), sb.last().copied().unwrap_or(0));
    let inner = dst.dims().last().copied().unwrap_or(1).max(1);
    let f = move |x: f32, y: f32| match kind {
        Kind::Add => x + y,
        Kind::Mul => x * y,
    };
    compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
        let offsets = rows.0.iter().zip(&rows.1);
        for (row, (&a, &b)) in dst[0].chunks_exact_mut(inner).zip(offsets) {
            let (x, y) = (&src[0][a..], &src[1][b..]);
            match steps {
                (1, 1) => {
                    row.iter_mut().zip(x.iter().zip(y)).for_each(|(r, (x, y))| *r = f(*x, *y))
                }
                (1, _) => row.iter_mut().zip(x).for_each(|(r, x)| *r = f(*x, y[0])),
                (_, 1) => row.iter_mut().zip(y).for_each(|(r, y)| *r = f(x[0], *y)),
                _ => row.fill(f(x[0], y[0])),
            }
            if let Some(activation) = activation {
                activation.apply_all(row);
            }
        }
    })
}
