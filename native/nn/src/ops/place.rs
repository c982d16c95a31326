//! Numbers put at given places of a larger tensor, and taken from there.

use crate::op::Op;
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use tensor::{Shape, Tensor, for_dtype};

/// What indices count through, and the tensor that it is the first corner of.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// [n, c, …] that an index runs through.
    pub counted: Shape,
    /// [n, c, …] of the tensor, nowhere smaller.
    pub shape: Shape,
    /// Within a plane the first spatial dimension runs fastest.
    pub column_major: bool,
}

impl Sizes {
    fn dims(&self) -> impl DoubleEndedIterator<Item = usize> + use<'_> {
        // From slowest to fastest: batch, channels, then the plane in its order.
        let rank = self.counted.rank();
        (0..rank).map(move |i| if self.column_major && i >= 2 { rank + 1 - i } else { i })
    }

    /// The index of a row-major position in the counted tensor.
    pub fn index(&self, mut position: usize) -> usize {
        let dims = self.counted.dims();
        let mut at = vec![0; dims.len()];
        for (at, dim) in at.iter_mut().zip(dims).rev() {
            (*at, position) = (position % dim, position / dim);
        }
        self.dims().fold(0, |index, d| index * dims[d] + at[d])
    }

    /// The row-major position in the tensor that an index means.
    fn position(&self, index: i64) -> Result<usize, OpError> {
        let count = self.counted.len();
        let Some(mut rest) = usize::try_from(index).ok().filter(|&index| index < count) else {
            return Err(OpError::mismatch(
                format!("indices below {count}, as there are elements in {}", self.counted),
                index.to_string(),
                "Give the indices of a pooling of this shape.",
            ));
        };
        let strides = self.shape.strides();
        let mut position = 0;
        for d in self.dims().rev() {
            let dim = self.counted.dims()[d];
            position += rest % dim * strides[d];
            rest /= dim;
        }
        Ok(position)
    }
}

/// y\[indices\[i\]\] = the sum of the x\[i\] put there, zero elsewhere. Sources: x, indices.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub sizes: Sizes,
}

impl Op for Place {
    fn name(&self) -> &'static str {
        "Place"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(self.sizes.shape.clone())])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let diff = g.emit(Take { sizes: self.sizes.clone() }, &[diff, g.src(1)])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compiles(&self, _src: &[tensor::DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let types = infer_tensors(self, src)?;
        let mut y = Tensor::zeros(types[0].dtype, types[0].shape.clone());
        for_dtype!(src[0].dtype(), T => {
            let x = src[0].get::<T>()?;
            let mut view = y.view_mut();
            let y = view.get::<T>()?;
            for (&x, &index) in x.iter().zip(src[1].get::<i64>()?) {
                let at = self.sizes.position(index)?;
                y[at] = add(y[at], x);
            }
        });
        Ok(vec![y])
    }
}

/// Exact for what was zero before; else rounded as f64 rounds.
fn add<T: tensor::Element>(a: T, b: T) -> T {
    use tensor::Wide;
    match (a.wide(), b.wide()) {
        (Wide::Float(x), Wide::Float(y)) => T::from_wide(Wide::Float(x + y)),
        (Wide::Int(x), Wide::Int(y)) => T::from_wide(Wide::Int(x + y)),
        _ => b,
    }
}

/// y\[i\] = x\[indices\[i\]\]. Sources: x, indices.
#[derive(Clone, Debug)]
struct Take {
    sizes: Sizes,
}

impl Op for Take {
    fn name(&self) -> &'static str {
        "Take"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(src[1].shape.clone())])
    }

    fn compiles(&self, _src: &[tensor::DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        for_dtype!(src[0].dtype(), T => {
            let x = src[0].get::<T>()?;
            let taken: Result<Vec<T>, OpError> =
                src[1].get::<i64>()?.iter().map(|&i| Ok(x[self.sizes.position(i)?])).collect();
            Ok(vec![Tensor::new(src[1].shape().clone(), <T as tensor::Held>::hold(taken?))?])
        })
    }
}
