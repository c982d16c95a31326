//! Pooling of whole planes.

use super::{AveragePool, LpPool, MaxPool};
use crate::op::{Cost, Op};
use crate::{Compiler, Error, Gradient, OpError, Takes, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// y\[n, c, 1, …\] = the mean of x\[n, c, …\]. ONNX `GlobalAveragePool`. Shapes: x \[n, c, …\] with one
/// to three spatial dimensions; y the same with ones for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GlobalAveragePool {}

/// y\[n, c, 1, …\] = the maximum of x\[n, c, …\]. ONNX `GlobalMaxPool`. Shapes as those of
/// [`GlobalAveragePool`]; the second value that this op gives is what its gradient needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GlobalMaxPool {}

/// y\[n, c, 1, …\] = (Σ |x\[n, c, …\]|ᵖ)^(1/p). ONNX `GlobalLpPool`. Shapes as those of
/// [`GlobalAveragePool`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GlobalLpPool {
    /// Exponent of the norm, at least 1.
    pub p: u32,
}

impl Default for GlobalLpPool {
    fn default() -> GlobalLpPool {
        GlobalLpPool { p: 2 }
    }
}

/// An op that is a pooling with a window of the size of the planes.
macro_rules! global {
    ($op:ident, $pool:ident, |$settings:pat_param, $kernel_shape:ident| $made:expr) => {
        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                pool(self, src.first().map(|s| &s.shape)).infer(src)
            }

            fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
                pool(self, Some(&g.shape(g.src(0)))).differentiate(g)
            }

            fn takes(&self, src: usize) -> Takes {
                pool(self, None).takes(src)
            }

            fn compiles(&self, src: &[DType]) -> bool {
                pool(self, None).compiles(src)
            }

            fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                pool(self, src.first().map(|s| s.shape())).evaluate(src)
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                pool(self, Some(compiler.src_shape(0))).compile(compiler)
            }

            fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
                pool(self, Some(&src[0])).cost(src, dst)
            }
        }

        impl Global for $op {
            type Pool = $pool;

            fn pool(&self, $kernel_shape: Vec<usize>) -> $pool {
                let $settings = self;
                $made
            }
        }
    };
}

/// What differs between the three.
trait Global {
    type Pool: Op;
    /// The pooling with this window.
    fn pool(&self, kernel_shape: Vec<usize>) -> Self::Pool;
}

/// The pooling whose window is as large as a plane of `src`.
fn pool<G: Global>(op: &G, src: Option<&Shape>) -> G::Pool {
    op.pool(src.and_then(|src| src.dims().get(2..)).unwrap_or_default().to_vec())
}

global!(GlobalAveragePool, AveragePool, |_, kernel_shape| AveragePool {
    kernel_shape,
    ..Default::default()
});
global!(GlobalMaxPool, MaxPool, |_, kernel_shape| MaxPool { kernel_shape, ..Default::default() });
global!(GlobalLpPool, LpPool, |op, kernel_shape| LpPool {
    kernel_shape,
    p: op.p,
    ..Default::default()
});
