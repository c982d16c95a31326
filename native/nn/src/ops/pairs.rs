//! What all functions of two elements have in common: broadcasting, gradient, primitive, kernels.

use super::binary::sum_to_source;
use super::sum_to::row_offsets;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use onednn::ops::binary;
use onednn::{Attr, arg};
use std::fmt::Debug;
use tensor::{DType, Element, Held, Shape, Tensor, Wide, for_dtype};

/// y = f(a, b), element by element.
pub(super) trait Pair: Clone + Debug + Send + Sync + 'static {
    /// f.
    fn apply(&self, a: f64, b: f64) -> f64;

    /// ∂f/∂a and ∂f/∂b; none if the function has no gradient.
    fn derivative(&self, _a: f64, _b: f64) -> Option<[f64; 2]> {
        None
    }

    /// f for integers, where it is defined for them; of so many bits, whatever is beyond.
    fn integer(&self, _a: i128, _b: i128) -> Option<i128> {
        None
    }

    /// oneDNN's function, where it has one.
    fn algorithm(&self) -> Option<binary::Algorithm> {
        None
    }
}

/// Defines ops of two elements: settings, `|settings, a, b| f`, its two derivatives, f for integers
/// and oneDNN's function.
macro_rules! pair {
    ($(
        $(#[$doc:meta])*
        $op:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr),* } => {
        |$settings:ident, $a:ident, $b:ident| $f:expr,
        $(derivative |$da:ident, $db:ident| $derivative:expr,)?
        $(integer |$is:ident, $ia:ident, $ib:ident| $integer:expr,)?
        $(algorithm $algorithm:expr,)?
        }
    )*) => {$(
        $(#[$doc])*
        ///
        /// Shapes: a and b broadcast to y (dimensions equal or 1).
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $op {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $op {
            fn default() -> $op {
                $op { $($field: $default),* }
            }
        }

        impl $crate::ops::pairs::Pair for $op {
            fn apply(&self, $a: f64, $b: f64) -> f64 {
                let $settings = self;
                $f
            }

            $(fn derivative(&self, $da: f64, $db: f64) -> Option<[f64; 2]> {
                Some($derivative)
            })?

            $(fn integer(&self, $ia: i128, $ib: i128) -> Option<i128> {
                let $is = self;
                Some($integer)
            })?

            $(fn algorithm(&self) -> Option<onednn::ops::binary::Algorithm> {
                Some($algorithm)
            })?
        }

        impl $crate::Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(
                &self,
                src: &[&$crate::TensorType],
            ) -> Result<Vec<$crate::TensorType>, $crate::OpError> {
                $crate::ops::pairs::infer(self, src)
            }

            fn differentiate(&self, g: &mut $crate::Gradient<'_>) -> Result<(), $crate::Error> {
                $crate::ops::pairs::differentiate(self, g)
            }

            fn compile(&self, compiler: &mut $crate::Compiler<'_>) -> Result<(), $crate::Error> {
                $crate::ops::pairs::compile(self, compiler)
            }

            fn evaluate(
                &self,
                src: &[&tensor::Tensor],
            ) -> Result<Vec<tensor::Tensor>, $crate::OpError> {
                $crate::ops::pairs::evaluate(self, src)
            }
        }
    )*};
}
pub(super) use pair;

/// The type of a result of two operands of one type.
pub(super) fn broadcast(
    src: &[&TensorType],
    takes: impl Fn(DType) -> bool,
    expected: &str,
) -> Result<TensorType, OpError> {
    expect_operands(src, 2..=2)?;
    let (a, b) = (src[0], src[1]);
    if a.dtype != b.dtype || !takes(a.dtype) {
        return Err(OpError::mismatch(
            format!("two operands of one type, {expected}"),
            format!("{} and {}", a.dtype, b.dtype),
            "Cast the inputs first.",
        ));
    }
    Ok(TensorType { dtype: a.dtype, shape: Shape::broadcast(&a.shape, &b.shape)? })
}

pub(super) fn infer<P: Pair>(p: &P, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
    let integers = p.integer(1, 1).is_some();
    let takes = |dtype: DType| dtype.is_float() || (integers && dtype.is_integer());
    Ok(vec![broadcast(src, takes, if integers { "numbers" } else { "floats" })?])
}

pub(super) fn differentiate<P: Pair>(p: &P, g: &mut Gradient<'_>) -> Result<(), Error> {
    let Some(dy) = g.diff_dst(0) else { return Ok(()) };
    if p.derivative(1.0, 1.0).is_none() {
        return Err(g.refuse());
    }
    for by in 0..2 {
        if g.needs(by) {
            let op = PairBackward { p: p.clone(), by };
            let diff = g.emit(op, &[dy, g.src(0), g.src(1)])?[0];
            let diff = sum_to_source(g, by, diff)?;
            g.set(by, diff);
        }
    }
    Ok(())
}

pub(super) fn compile<P: Pair>(p: &P, compiler: &mut Compiler<'_>) -> Result<(), Error> {
    let dst = compiler.dst_shape(0).clone();
    let (a, b) = (compiler.src_shape(0).clone(), compiler.src_shape(1).clone());
    // Broadcasting is left to the plain kernel; equal shapes keep the layout they come in.
    if let (true, true, Some(algorithm)) = (compiler.onednn(), a == b, p.algorithm()) {
        let md = compiler.src_descriptor(0)?;
        let pd = binary::forward(algorithm, &md, &md, &md, &Attr::new());
        if let Some(pd) = compiler.offered(pd)? {
            let src = [(0, arg::SRC_0, md.clone()), (1, arg::SRC_1, md.clone())];
            return compiler.primitive(&pd, &src, &[(0, arg::DST, md)]);
        }
    }
    let (rows, p) = (Rows::new(&dst, [&a, &b]), p.clone());
    compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
        rows.run([src[0], src[1]], dst[0], |a, b| p.apply(a.into(), b.into()) as f32);
    })
}

pub(super) fn evaluate<P: Pair>(p: &P, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    expect_operands(src, 2..=2)?;
    infer(p, &[&TensorType::of(src[0]), &TensorType::of(src[1])])?;
    let each = |a: Wide, b: Wide| match (a, b) {
        (Wide::Float(a), Wide::Float(b)) => Wide::Float(p.apply(a, b)),
        (Wide::Int(a), Wide::Int(b)) => {
            Wide::Int(p.integer(a.into(), b.into()).unwrap_or_default() as i64)
        }
        (Wide::Uint(a), Wide::Uint(b)) => {
            Wide::Uint(p.integer(a.into(), b.into()).unwrap_or_default() as u64)
        }
        (other, _) => other,
    };
    let made = for_dtype!(src[0].dtype(), T => {
        zip::<T, T>(src[0], src[1], |a, b| T::from_wide(each(a.wide(), b.wide())))
    });
    Ok(vec![made?])
}

/// A tensor of what two tensors of one type broadcast to, element by element.
pub(super) fn zip<A: Held, B: Held>(
    a: &Tensor,
    b: &Tensor,
    f: impl Fn(A, A) -> B,
) -> Result<Tensor, OpError> {
    let shape = Shape::broadcast(a.shape(), b.shape())?;
    let mut made = vec![B::default(); shape.len()];
    if !made.is_empty() {
        let rows = Rows::new(&shape, [a.shape(), b.shape()]);
        rows.run([a.get::<A>()?, b.get::<A>()?], &mut made, f);
    }
    Ok(Tensor::new(shape, B::hold(made))?)
}

/// Where the rows (all dimensions but the last) of two operands begin that broadcast to a result.
pub(super) struct Rows {
    offsets: [Vec<usize>; 2],
    /// From element to element of a row: 1, or 0 where it is repeated.
    steps: [usize; 2],
    inner: usize,
}

impl Rows {
    pub fn new(dst: &Shape, src: [&Shape; 2]) -> Rows {
        let strides = src.map(|shape| shape.broadcast_strides(dst));
        Rows {
            offsets: [row_offsets(dst, &strides[0]), row_offsets(dst, &strides[1])],
            steps: [0, 1].map(|i| strides[i].last().copied().unwrap_or(0)),
            inner: dst.dims().last().copied().unwrap_or(1).max(1),
        }
    }

    pub fn run<A: Copy, B>(&self, [a, b]: [&[A]; 2], dst: &mut [B], f: impl Fn(A, A) -> B) {
        let offsets = self.offsets[0].iter().zip(&self.offsets[1]);
        for (row, (&i, &j)) in dst.chunks_exact_mut(self.inner).zip(offsets) {
            let (x, y) = (&a[i..], &b[j..]);
            match self.steps {
                [1, 1] => {
                    row.iter_mut().zip(x.iter().zip(y)).for_each(|(r, (&x, &y))| *r = f(x, y));
                }
                [1, _] => row.iter_mut().zip(x).for_each(|(r, &x)| *r = f(x, y[0])),
                [_, 1] => row.iter_mut().zip(y).for_each(|(r, &y)| *r = f(x[0], y)),
                _ => row.iter_mut().for_each(|r| *r = f(x[0], y[0])),
            }
        }
    }
}

/// dy · ∂f/∂a or dy · ∂f/∂b, not yet summed to its shape. Sources: dy, a, b.
#[derive(Clone, Debug)]
struct PairBackward<P> {
    p: P,
    by: usize,
}

impl<P: Pair> Op for PairBackward<P> {
    fn name(&self) -> &'static str {
        "PairBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].clone()])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let rows = Rows::new(compiler.src_shape(0), [compiler.src_shape(1), compiler.src_shape(2)]);
        let (p, by) = (self.p.clone(), self.by);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let slope = |a: f32, b: f32| {
                p.derivative(a.into(), b.into()).map_or(f64::NAN, |slopes| slopes[by]) as f32
            };
            rows.run([src[1], src[2]], dst[0], slope);
            dst[0].iter_mut().zip(src[0]).for_each(|(d, &dy)| *d *= dy);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}
