//! What ops share that only rename the dimensions: the elements stay where they are.

use crate::op::Op;
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError};
use tensor::{Shape, Tensor};

/// The gradient of a view is the gradient under the source's dimensions.
pub(super) fn differentiate(g: &mut Gradient<'_>) -> Result<(), Error> {
    if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
        let shape = g.shape(g.src(0));
        let diff = g.emit(Restore { shape }, &[diff])?[0];
        g.set(0, diff);
    }
    Ok(())
}

/// What a view makes of its source.
pub(super) fn evaluate(op: &dyn Op, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
    let made = infer_tensors(op, src)?.into_iter().zip(src);
    let made = made.map(|(ty, src)| (*src).clone().reshaped(ty.shape));
    Ok(made.collect::<Result<_, _>>()?)
}

/// Implements [`Op`] for an op that is another view of its one source, with the dimensions that
/// its method `shape(&self, src: &Shape) -> Result<Shape, OpError>` gives.
macro_rules! views {
    ($op:ident) => {
        impl $crate::op::Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(
                &self,
                src: &[&$crate::TensorType],
            ) -> Result<Vec<$crate::TensorType>, $crate::OpError> {
                $crate::error::expect_operands(src, 1..=1)?;
                Ok(vec![src[0].with_shape(self.shape(&src[0].shape)?)])
            }

            fn differentiate(&self, g: &mut $crate::Gradient<'_>) -> Result<(), $crate::Error> {
                $crate::ops::view::differentiate(g)
            }

            fn compile(&self, compiler: &mut $crate::Compiler<'_>) -> Result<(), $crate::Error> {
                compiler.alias()
            }

            fn takes(&self, _: usize) -> $crate::Takes {
                $crate::Takes::LikeResult
            }

            fn compiles(&self, _: &[tensor::DType]) -> bool {
                true
            }

            fn evaluate(
                &self,
                src: &[&tensor::Tensor],
            ) -> Result<Vec<tensor::Tensor>, $crate::OpError> {
                $crate::ops::view::evaluate(self, src)
            }

            fn cost(&self, _: &[tensor::Shape], _: &[tensor::Shape]) -> $crate::Cost {
                $crate::Cost::default()
            }
        }
    };
}
pub(super) use views;

/// The gradient of a view: the source's dimensions again.
#[derive(Clone, Debug)]
struct Restore {
    shape: Shape,
}

impl Restore {
    fn shape(&self, _: &Shape) -> Result<Shape, OpError> {
        Ok(self.shape.clone())
    }
}

views!(Restore);
