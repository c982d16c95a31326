//! Sums, means, extremes and norms along axes.

mod backward;
mod kernel;

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use backward::ReduceBackward;
use kernel::Reduction;
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// What becomes of the elements that are taken together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
}

macro_rules! reduce {
    ($($(#[$doc:meta])* $op:ident, $kind:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Shapes: x any; y with 1 for each of the axes, or without them. Floats are summed up in
        /// f64.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $op {
            /// The axes, negative from the end; empty means all.
            pub axes: Vec<i64>,
            /// Keep the axes as dimensions of 1.
            pub keepdims: bool,
            /// Take no elements together if there are no axes, instead of all.
            pub noop_with_empty_axes: bool,
        }

        impl Default for $op {
            fn default() -> $op {
                $op { axes: Vec::new(), keepdims: true, noop_with_empty_axes: false }
            }
        }

        impl $op {
            fn form(&self) -> Form<'_> {
                let $op { axes, keepdims, noop_with_empty_axes } = self;
                let (keepdims, noop) = (*keepdims, *noop_with_empty_axes);
                Form { kind: Kind::$kind, axes, keepdims, noop }
            }
        }

        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                self.form().infer(src)
            }

            fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                let ty = infer_tensors(self, src)?.swap_remove(0);
                let reduction = self.form().reduction(src[0].shape())?;
                let made = reduction.evaluate(src[0].view());
                Ok(vec![Tensor::new(ty.shape, made)?])
            }

            fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
                self.form().differentiate(g)
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                let shape = compiler.src_shape(0);
                let reduction = self.form().reduction(shape).expect("checked by infer");
                compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
                    reduction.run(src[0], dst[0]);
                })
            }

            fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
                Cost { flops: src[0].len() as f64, ..elementwise_cost(src, dst, 1.0) }
            }

            fn takes_empty(&self) -> bool {
                true
            }
        }
    )*};
}

reduce! {
    /// y = Σ x along the axes. ONNX `ReduceSum`.
    ReduceSum, Sum;
    /// y = Σ x / n along the axes. ONNX `ReduceMean`.
    ReduceMean, Mean;
    /// y = Π x along the axes. ONNX `ReduceProd`.
    ReduceProd, Prod;
    /// y = max x along the axes; the gradient is shared by equal maxima. ONNX `ReduceMax`.
    ReduceMax, Max;
    /// y = min x along the axes; the gradient is shared by equal minima. ONNX `ReduceMin`.
    ReduceMin, Min;
    /// y = Σ |x| along the axes. ONNX `ReduceL1`.
    ReduceL1, L1;
    /// y = √Σ x² along the axes. ONNX `ReduceL2`.
    ReduceL2, L2;
    /// y = Σ x² along the axes. ONNX `ReduceSumSquare`.
    ReduceSumSquare, SumSquare;
    /// y = log Σ x along the axes. ONNX `ReduceLogSum`.
    ReduceLogSum, LogSum;
    /// y = log Σ e^x along the axes. ONNX `ReduceLogSumExp`.
    ReduceLogSumExp, LogSumExp;
}

/// The settings of any of the ops.
struct Form<'a> {
    kind: Kind,
    axes: &'a [i64],
    keepdims: bool,
    noop: bool,
}

impl Form<'_> {
    /// For each dimension: is it reduced?
    fn reduced(&self, src: &Shape) -> Result<Vec<bool>, OpError> {
        let mut reduced = vec![self.axes.is_empty() && !self.noop; src.rank()];
        for &axis in self.axes {
            reduced[resolve_axis(axis, src.rank())?] = true;
        }
        Ok(reduced)
    }

    fn reduction(&self, src: &Shape) -> Result<Reduction, OpError> {
        Ok(Reduction::new(self.kind, src, &self.reduced(src)?))
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        let ordered = matches!(self.kind, Kind::Max | Kind::Min);
        if src[0].dtype == DType::Bool && !ordered {
            return Err(OpError::mismatch("numbers", "bool", "Cast the input to a number first."));
        }
        let reduced = self.reduced(&src[0].shape)?;
        let dims = src[0].dims().iter().zip(reduced).filter_map(|(&dim, reduced)| match reduced {
            true => self.keepdims.then_some(1),
            false => Some(dim),
        });
        Ok(vec![src[0].with_shape(dims.collect::<Vec<usize>>())])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let (x, y) = (g.src(0), g.dst(0));
            let shape = g.shape(x);
            let reduction = self.reduction(&shape).expect("checked by infer");
            let diff = g.emit(ReduceBackward { reduction, shape }, &[diff, x, y])?[0];
            g.set(0, diff);
        }
        Ok(())
    }
}
