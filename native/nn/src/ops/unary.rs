//! What all functions of one element have in common: types, gradient, primitive, plain kernel.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use onednn::ops::eltwise;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use std::fmt::Debug;
use tensor::{DType, Element, Held, Shape, Tensor, Wide, for_dtype};

/// y = f(x), element by element.
pub(super) trait Function: Clone + Debug + Send + Sync + 'static {
    /// f.
    fn apply(&self, x: f64) -> f64;

    /// f'(x), with y = f(x).
    fn derivative(&self, x: f64, y: f64) -> f64;

    /// oneDNN's function of these settings, where it has one.
    fn eltwise(&self) -> Option<eltwise::Config>;

    /// f for integers, where it is defined for them.
    fn integer(&self, _x: i128) -> Option<i128> {
        None
    }
}

/// Defines ops of one element: settings, `|settings, x| f`, `|settings, x, y| f'`, oneDNN's function,
/// and f for integers where there is one.
macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $op:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr),* } => {
        |$settings:ident, $x:ident| $f:expr,
        |$ds:ident, $dx:ident, $dy:ident| $derivative:expr,
        $(eltwise |$es:ident| $eltwise:expr,)?
        $(integer |$is:ident, $i:ident| $integer:expr,)?
        }
    )*) => {$(
        $(#[$doc])*
        ///
        /// Shapes: x any, y the same.
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

        impl $crate::ops::unary::Function for $op {
            fn apply(&self, $x: f64) -> f64 {
                let $settings = self;
                $f
            }

            fn derivative(&self, $dx: f64, $dy: f64) -> f64 {
                let $ds = self;
                $derivative
            }

            #[allow(unreachable_code, reason = "not every function is one of oneDNN")]
            fn eltwise(&self) -> Option<onednn::ops::eltwise::Config> {
                $(
                    let $es = self;
                    return $eltwise.into();
                )?
                None
            }

            $(
                fn integer(&self, $i: i128) -> Option<i128> {
                    let $is = self;
                    Some($integer)
                }
            )?
        }

        impl $crate::Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(
                &self,
                src: &[&$crate::TensorType],
            ) -> Result<Vec<$crate::TensorType>, $crate::OpError> {
                $crate::ops::unary::infer(self, src)
            }

            fn differentiate(&self, g: &mut $crate::Gradient<'_>) -> Result<(), $crate::Error> {
                $crate::ops::unary::differentiate(self, g)
            }

            fn compile(&self, compiler: &mut $crate::Compiler<'_>) -> Result<(), $crate::Error> {
                $crate::ops::unary::compile(self, compiler)
            }

            fn evaluate(
                &self,
                src: &[&tensor::Tensor],
            ) -> Result<Vec<tensor::Tensor>, $crate::OpError> {
                $crate::ops::unary::evaluate(self, src)
            }
        }
    )*};
}
pub(super) use unary;

/// oneDNN's function with its parameters.
pub(super) fn config(algorithm: eltwise::Algorithm, alpha: f32, beta: f32) -> eltwise::Config {
    eltwise::Config { algorithm, alpha, beta }
}

pub(super) fn infer<F: Function>(f: &F, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
    expect_operands(src, 1..=1)?;
    let dtype = src[0].dtype;
    if dtype.is_float() || (dtype.is_integer() && f.integer(0).is_some()) {
        return Ok(vec![src[0].clone()]);
    }
    let expected = if f.integer(0).is_some() { "numbers" } else { "floats" };
    Err(OpError::mismatch(expected, dtype.name(), "Cast the input first."))
}

pub(super) fn differentiate<F: Function>(f: &F, g: &mut Gradient<'_>) -> Result<(), Error> {
    if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
        let op = UnaryBackward { f: f.clone() };
        let diff_src = g.emit(op, &[g.src(0), diff])?[0];
        g.set(0, diff_src);
    }
    Ok(())
}

pub(super) fn compile<F: Function>(f: &F, compiler: &mut Compiler<'_>) -> Result<(), Error> {
    if let (true, Some(config)) = (compiler.onednn(), f.eltwise()) {
        let md = compiler.src_descriptor(0)?;
        if let Some(pd) = compiler.offered(forward(&config, &md))? {
            return compiler.primitive(&pd, &[(0, arg::SRC, md.clone())], &[(0, arg::DST, md)]);
        }
    }
    let f = f.clone();
    compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
        for (y, &x) in dst[0].iter_mut().zip(src[0]) {
            *y = f.apply(x.into()) as f32;
        }
    })
}

fn forward(config: &eltwise::Config, md: &MemoryDesc) -> Result<PrimitiveDesc, onednn::Error> {
    eltwise::forward(PropKind::ForwardTraining, md, md, config, &Attr::new())
}

pub(super) fn evaluate<F: Function>(f: &F, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    expect_operands(src, 1..=1)?;
    infer(f, &[&TensorType::of(src[0])])?;
    let each = |x: Wide| match x {
        Wide::Float(x) => Wide::Float(f.apply(x)),
        Wide::Int(x) => Wide::Int(f.integer(x.into()).unwrap_or_default() as i64),
        Wide::Uint(x) => Wide::Uint(f.integer(x.into()).unwrap_or_default() as u64),
    };
    Ok(vec![
        for_dtype!(src[0].dtype(), T => map::<T, T>(src[0], |x| T::from_wide(each(x.wide()))))?,
    ])
}

/// A tensor of the same shape, element by element.
pub(super) fn map<A: Held, B: Held>(src: &Tensor, f: impl Fn(A) -> B) -> Result<Tensor, OpError> {
    let made: Vec<B> = src.get::<A>()?.iter().map(|&x| f(x)).collect();
    Ok(Tensor::new(src.shape().clone(), B::hold(made))?)
}

/// dx = dy · f'(x). Sources: x, dy.
#[derive(Clone, Debug)]
struct UnaryBackward<F> {
    f: F,
}

impl<F: Function> Op for UnaryBackward<F> {
    fn name(&self) -> &'static str {
        "UnaryBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].clone()])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let rounds = |c: &eltwise::Config| c.algorithm == eltwise::Algorithm::Round;
        if let (true, Some(config)) = (compiler.onednn(), self.f.eltwise().filter(|c| !rounds(c))) {
            let md = compiler.src_descriptor(0)?;
            if let Some(hint) = compiler.offered(forward(&config, &md))? {
                let pd = eltwise::backward(&md, &md, &md, &config, &hint);
                if let Some(pd) = compiler.offered(pd)? {
                    let src = [(0, arg::SRC, md.clone()), (1, arg::DIFF_DST, md.clone())];
                    return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, md)]);
                }
            }
        }
        let f = self.f.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for ((dx, &x), &dy) in dst[0].iter_mut().zip(src[0]).zip(src[1]) {
                let x = f64::from(x);
                *dx = (f64::from(dy) * f.derivative(x, f.apply(x))) as f32;
            }
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        src.iter().all(|&dtype| dtype == DType::F32)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}
