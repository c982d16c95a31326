//! Recurrent ops whose only state is their result.

use super::general::{Cell, GateActivation, General};
use super::sequence::{Direction, Sequence, mismatch};
use crate::op::Op;
use crate::tensor_type::infer_tensors;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// The plain recurrent net: h = tanh(W x + R h' + b) with h' of the step before. ONNX `RNN`.
///
/// Sources: x \[steps, batch, inputs\], w \[d, h, inputs\], r \[d, h, h\] for d directions; then those
/// that the settings name: b \[d, 2h\] (of w, then of r), sequence_lens \[batch\] (i32), initial_h
/// \[d, batch, h\]. Results: y \[steps, d, batch, h\] and the last h \[d, batch, h\]. With `batch_first`
/// (ONNX's `layout` 1): x \[batch, steps, inputs\], y \[batch, steps, d, h\], h \[batch, d, h\]. No
/// gradient.
///
/// J. L. Elman: "Finding structure in time", Cognitive Science 1990.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RNN {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// One for each direction; empty means tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
}

/// The gated recurrent unit, with h' of the step before and ⊙ element by element:
///
/// z, r = σ(W x + R h' + b), g = tanh(W x + R (r ⊙ h') + b), h = (1 − z) ⊙ g + z ⊙ h'; with
/// `linear_before_reset` g = tanh(W x + b + r ⊙ (R h' + b')). ONNX `GRU`.
///
/// Sources and results as those of [`RNN`], with w \[d, 3h, inputs\], r \[d, 3h, h\], b \[d, 6h\]. No
/// gradient.
///
/// K. Cho et al.: "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GRU {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// Those of gates and result for each direction; empty means sigmoid, tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// The reset gate works on R h' instead of h'.
    pub linear_before_reset: bool,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
}

impl RNN {
    const NAME: &'static str = "RNN";

    fn cell(&self) -> Cell {
        Cell::Rnn
    }

    fn usual(&self) -> Vec<GateActivation> {
        vec![GateActivation::Tanh]
    }
}

impl GRU {
    const NAME: &'static str = "GRU";

    fn cell(&self) -> Cell {
        Cell::Gru { linear_before_reset: self.linear_before_reset }
    }

    fn usual(&self) -> Vec<GateActivation> {
        vec![GateActivation::Sigmoid, GateActivation::Tanh]
    }
}

macro_rules! evaluated {
    ($($op:ident)*) => {$(
        impl $op {
            /// Numbers of b, sequence_lens and initial_h, and of all sources.
            fn optional(&self) -> ([Option<usize>; 3], usize) {
                let mut count = 3;
                let at = [self.bias, self.sequence_lens, self.initial_h].map(|there| {
                    count += usize::from(there);
                    there.then(|| count - 1)
                });
                (at, count)
            }

            fn sizes(&self, src: &[&Shape]) -> Result<Sequence, OpError> {
                let n = self.cell().gates();
                let refuse = || mismatch(n, self.direction, src);
                let (at, count) = self.optional();
                let d = self.direction.reversed().len();
                if src.len() != count {
                    return Err(refuse());
                }
                let sizes = Sequence::new(src[0], src[2], self.batch_first, d);
                let sizes = sizes.ok_or_else(refuse)?;
                let h = sizes.hidden;
                let wanted = [
                    (Some(1), Shape::new(&[d, n * h, sizes.inputs])),
                    (Some(2), Shape::new(&[d, n * h, h])),
                    (at[0], Shape::new(&[d, 2 * n * h])),
                    (at[1], Shape::new(&[sizes.batch])),
                    (at[2], sizes.state()),
                ];
                let fits = wanted.iter().all(|(at, shape)| at.is_none_or(|at| src[at] == shape));
                let functions = [0, self.usual().len() * d].contains(&self.activations.len());
                if fits && functions { Ok(sizes) } else { Err(refuse()) }
            }
        }

        impl Op for $op {
            fn name(&self) -> &'static str {
                $op::NAME
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                let shapes: Vec<&Shape> = src.iter().map(|ty| &ty.shape).collect();
                let sizes = self.sizes(&shapes)?;
                expect_floats(src, self.optional().0[1])?;
                Ok([sizes.y(), sizes.state()].map(|shape| src[0].with_shape(shape)).to_vec())
            }

            fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                let types = infer_tensors(self, src)?;
                let shapes: Vec<&Shape> = src.iter().map(|tensor| tensor.shape()).collect();
                let sizes = self.sizes(&shapes)?;
                let wide = wide(src)?;
                let ([b, lengths, h0], _) = self.optional();
                let lengths = lengths.map(|i| src[i].to_i64s()).transpose()?;
                let optional = |i: Option<usize>| i.map(|i| &wide[i][..]);
                let activations = match &self.activations[..] {
                    [] => self.usual().repeat(sizes.directions),
                    given => given.to_vec(),
                };
                let results = General {
                    cell: self.cell(),
                    sizes,
                    reversed: self.direction.reversed(),
                    activations: &activations,
                    clip: self.clip,
                    x: &wide[0],
                    w: &wide[1],
                    r: &wide[2],
                    b: optional(b),
                    lengths: lengths.as_deref(),
                    h0: optional(h0),
                    c0: None,
                    p: None,
                };
                let results = results.run();
                let tensors = [results.y, results.h].into_iter().zip(types);
                tensors.map(|(data, ty)| Ok(Tensor::new(ty.shape, data)?.cast(ty.dtype))).collect()
            }

            fn compiles(&self, _: &[DType]) -> bool {
                false
            }
        }
    )*};
}

evaluated!(RNN GRU);

/// Error unless all sources but the lengths have one float type, and those are i32.
pub(super) fn expect_floats(src: &[&TensorType], lengths: Option<usize>) -> Result<(), OpError> {
    let dtype = src[0].dtype;
    let fits = |(i, ty): (usize, &&TensorType)| {
        if Some(i) == lengths { ty.dtype == DType::I32 } else { ty.dtype == dtype }
    };
    if dtype.is_float() && src.iter().enumerate().all(fits) {
        return Ok(());
    }
    let got: Vec<&str> = src.iter().map(|ty| ty.dtype.name()).collect();
    let remedy = "Cast the inputs to one float type first.";
    let expected = "operands of one float type, lengths of type i32";
    Err(OpError::mismatch(expected, got.join(" and "), remedy))
}

/// The sources in f64.
pub(super) fn wide(src: &[&Tensor]) -> Result<Vec<Vec<f64>>, OpError> {
    let wide = |tensor: &&Tensor| Ok(tensor.cast(DType::F64).into_vec::<f64>()?);
    src.iter().map(wide).collect()
}
