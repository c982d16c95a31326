//! ArgMax, ArgMin and TopK: which elements are the largest or smallest.

use super::scatter::{ScatterElements, ScatterReduction};
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::Op;
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use tensor::{DType, Data, Element, Shape, Tensor, for_elements};

/// Lines of a tensor along an axis.
struct Lines {
    count: usize,
    n: usize,
    inner: usize,
}

impl Lines {
    fn new(shape: &Shape, axis: usize) -> Lines {
        let dims = shape.dims();
        let inner = dims[axis + 1..].iter().product();
        Lines { count: dims[..axis].iter().product::<usize>() * inner, n: dims[axis], inner }
    }

    /// Place of element `i` of a line in a tensor with `n` elements per line.
    fn at(&self, line: usize, i: usize, n: usize) -> usize {
        (line / self.inner * n + i) * self.inner + line % self.inner
    }
}

/// Larger first; NaN counts as the largest of all.
fn descending<T: Element>(a: T, b: T) -> Ordering {
    #[allow(clippy::eq_op, reason = "only NaN differs from itself")]
    let unordered = (a != a).cmp(&(b != b)).reverse();
    b.partial_cmp(&a).unwrap_or(unordered)
}

macro_rules! extreme {
    ($($(#[$doc:meta])* $op:ident, $sign:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// Shapes: x any; y i64, with 1 for the axis or without it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $op {
            /// The axis; negative counts from the end.
            pub axis: i64,
            /// Keep the axis as a dimension of 1.
            pub keepdims: bool,
            /// Take the last of equal elements instead of the first.
            pub select_last_index: bool,
        }

        impl Default for $op {
            fn default() -> $op {
                $op { axis: 0, keepdims: true, select_last_index: false }
            }
        }

        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                infer_extreme(src, self.axis, self.keepdims)
            }

            fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                let ty = infer_tensors(self, src)?.swap_remove(0);
                let axis = resolve_axis(self.axis, src[0].shape().rank())?;
                let lines = Lines::new(src[0].shape(), axis);
                let found = for_elements!(Data, src[0].data(), x => {
                    extremes(x, &lines, $sign, self.select_last_index)
                });
                Ok(vec![Tensor::new(ty.shape, found)?])
            }
        }
    )*};
}

extreme! {
    /// The position of the largest element along an axis. ONNX `ArgMax`.
    ArgMax, Ordering::Less;
    /// The position of the smallest element along an axis. ONNX `ArgMin`.
    ArgMin, Ordering::Greater;
}

fn infer_extreme(
    src: &[&TensorType],
    axis: i64,
    keepdims: bool,
) -> Result<Vec<TensorType>, OpError> {
    expect_operands(src, 1..=1)?;
    let axis = resolve_axis(axis, src[0].shape.rank())?;
    let mut dims = src[0].dims().to_vec();
    if dims[axis] == 0 {
        let got = src[0].to_string();
        return Err(OpError::mismatch("elements along the axis", got, "Leave empty inputs out."));
    }
    dims[axis] = 1;
    if !keepdims {
        dims.remove(axis);
    }
    Ok(vec![TensorType::new(DType::I64, dims)])
}

/// The position in each line of the element that comes before all others in this order.
fn extremes<T: Element>(x: &[T], lines: &Lines, before: Ordering, last: bool) -> Vec<i64> {
    let better = |new: T, old: T| {
        let order = descending(new, old);
        order == before || (last && order == Ordering::Equal)
    };
    let of = |line: usize| {
        let at = |i: usize| x[lines.at(line, i, lines.n)];
        (1..lines.n).fold(0, |best, i| if better(at(i), at(best)) { i } else { best }) as i64
    };
    (0..lines.count).map(of).collect()
}

/// The k largest or smallest elements along an axis, and their positions. ONNX `TopK`.
///
/// Shapes: x any; values and positions (i64) with k along the axis. Of equal elements those that
/// come first are taken first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopK {
    /// The axis; negative counts from the end.
    pub axis: i64,
    /// How many.
    pub k: usize,
    /// The largest; otherwise the smallest.
    pub largest: bool,
    /// The best first; otherwise in the order of x.
    pub sorted: bool,
}

impl Default for TopK {
    fn default() -> TopK {
        TopK { axis: -1, k: 1, largest: true, sorted: true }
    }
}

impl TopK {
    /// The taken positions of each line.
    fn positions<T: Element>(&self, x: &[T], lines: &Lines) -> Vec<Vec<usize>> {
        let order = |a: T, b: T| match self.largest {
            true => descending(a, b),
            false => descending(b, a),
        };
        let of = |line: usize| {
            let at = |i: usize| x[lines.at(line, i, lines.n)];
            let mut positions: Vec<usize> = (0..lines.n).collect();
            positions.sort_by(|&a, &b| order(at(a), at(b)));
            positions.truncate(self.k);
            if !self.sorted {
                positions.sort_unstable();
            }
            positions
        };
        (0..lines.count).map(of).collect()
    }

    fn take<T: Element>(&self, x: &[T], lines: &Lines) -> (Data, Vec<i64>)
    where
        Data: From<Vec<T>>,
    {
        let mut values = vec![T::default(); lines.count * self.k];
        let mut indices = vec![0; values.len()];
        for (line, positions) in self.positions(x, lines).iter().enumerate() {
            for (i, &position) in positions.iter().enumerate() {
                let to = lines.at(line, i, self.k);
                values[to] = x[lines.at(line, position, lines.n)];
                indices[to] = position as i64;
            }
        }
        (Data::from(values), indices)
    }
}

impl Op for TopK {
    fn name(&self) -> &'static str {
        "TopK"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        let axis = resolve_axis(self.axis, src[0].shape.rank())?;
        let mut dims = src[0].dims().to_vec();
        if self.k > dims[axis] {
            return Err(OpError::mismatch(
                format!("k of up to {} elements along axis {axis}", dims[axis]),
                format!("k = {}", self.k),
                "Ask for fewer.",
            ));
        }
        dims[axis] = self.k;
        Ok(vec![src[0].with_shape(dims.clone()), TensorType::new(DType::I64, dims)])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let shape = infer_tensors(self, src)?.swap_remove(0).shape;
        let axis = resolve_axis(self.axis, shape.rank())?;
        let lines = Lines::new(src[0].shape(), axis);
        let (values, indices) = for_elements!(Data, src[0].data(), x => self.take(x, &lines));
        Ok(vec![Tensor::new(shape.clone(), values)?, Tensor::new(shape, indices)?])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let (x, positions) = (g.tensor_type(g.src(0)), g.dst(1));
            let zeros = g.constant(Tensor::zeros(x.dtype, x.shape));
            let op = ScatterElements { axis: self.axis, reduction: ScatterReduction::Add };
            let diff = g.emit(op, &[zeros, positions, diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }
}
