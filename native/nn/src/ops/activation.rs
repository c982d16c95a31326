//! Relu, Tanh, Sigmoid: element-wise functions whose gradient needs only their result.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Activation, Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::ops::eltwise;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use tensor::Shape;

/// An activation whose gradient needs only its result.
pub(crate) trait ByResult: Clone + Debug + Send + Sync + 'static {
    /// f'(x) in terms of y = f(x).
    fn derivative(&self, y: f32) -> f32;

    /// oneDNN's algorithm whose backward pass reads the result.
    fn algorithm(&self) -> eltwise::Algorithm;
}

/// Defines an activation: oneDNN's algorithm that reads the result, and `|y| f'`.
macro_rules! activation {
    ($(#[$doc:meta])* $op:ident, $algorithm:ident, |$y:ident| $derivative:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $op {}

        impl ByResult for $op {
            fn derivative(&self, $y: f32) -> f32 {
                $derivative
            }

            fn algorithm(&self) -> eltwise::Algorithm {
                eltwise::Algorithm::$algorithm
            }
        }

        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
                expect_operands(src, 1..=1)?;
                Ok(vec![src[0].clone()])
            })
    }

            fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
                differentiate(self, g)
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                compile(Activation::$op, compiler)
            }

            fn takes(&self, _: usize) -> Takes {
                Takes::LikeResult
            }

            fn as_activation(&self) -> Option<Activation> {
                Some(Activation::$op)
            }
        }
    };
}

activation!(
    /// y = max(x, 0), element by element. Shapes: x any, y the same.
    Relu, ReluUseDst, |y| (y > 0.0) as u8 as f32
);
activation!(
    /// y = tanh x, element by element. Shapes: x any, y the same.
    Tanh, TanhUseDst, |y| 1.0 - y * y
);
activation!(
    /// y = 1 / (1 + e^−x), element by element. Shapes: x any, y the same.
    Sigmoid, LogisticUseDst, |y| y * (1.0 - y)
);

fn differentiate<F: ByResult>(f: &F, g: &mut Gradient<'_>) -> Result<(), Error> {
    if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
        let y = g.dst(0);
        let diff_src = g.emit(ActivationBackward { of: f.clone() }, &[y, diff])?[0];
        g.set(0, diff_src);
    }
    Ok(())
}

fn compile(activation: Activation, compiler: &mut Compiler<'_>) -> Result<(), Error> {
    if compiler.onednn() {
        let md = compiler.src_descriptor(0)?;
        let pd = forward(activation.algorithm(), &md);
        if let Some(pd) = compiler.offered(pd)? {
            return compiler.primitive(&pd, &[(0, arg::SRC, md.clone())], &[(0, arg::DST, md)]);
        }
    }
    compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
        for (y, &x) in dst[0].iter_mut().zip(src[0]) {
            *y = activation.apply(x);
        }
    })
}

fn forward(algorithm: eltwise::Algorithm, md: &MemoryDesc) -> Result<PrimitiveDesc, onednn::Error> {
    let config = eltwise::Config::new(algorithm);
    eltwise::forward(PropKind::ForwardTraining, md, md, &config, &Attr::new())
}

/// dx = dy · f'(x) with f' in terms of y. Sources: y, dy.
#[derive(Clone, Debug)]
pub(crate) struct ActivationBackward<F> {
    of: F,
}

impl<F: ByResult> Op for ActivationBackward<F> {
    fn name(&self) -> &'static str {
        "ActivationBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if compiler.onednn() {
            let md = compiler.src_descriptor(0)?;
            let config = eltwise::Config::new(self.of.algorithm());
            let hint = compiler.check(forward(config.algorithm, &md))?;
            let pd = eltwise::backward(&md, &md, &md, &config, &hint);
            if let Some(pd) = compiler.offered(pd)? {
                let src = [(0, arg::DST, md.clone()), (1, arg::DIFF_DST, md.clone())];
                return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, md)]);
            }
        }
        let of = self.of.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for ((dx, &y), &dy) in dst[0].iter_mut().zip(src[0]).zip(src[1]) {
                *dx = dy * of.derivative(y);
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}
