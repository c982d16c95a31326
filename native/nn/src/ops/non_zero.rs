//! NonZero, Compress and Unique: results whose shape depends on the elements.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use tensor::{DType, Element, Tensor, for_elements};

/// The indices of the elements other than 0, one column for each. ONNX `NonZero`.
///
/// Shapes: x any; y i64 \[dimensions of x, number of such elements\], known only with the elements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NonZero {}

impl Op for NonZero {
    fn name(&self) -> &'static str {
        "NonZero"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        Err(OpError::DependsOnData)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 1..=1)?;
        let truth = src[0].cast(DType::Bool).into_vec::<bool>()?;
        let found: Vec<usize> = (0..truth.len()).filter(|&i| truth[i]).collect();
        let axes = src[0].dims().iter().zip(src[0].shape().strides());
        let rows =
            axes.flat_map(|(&dim, stride)| found.iter().map(move |at| (at / stride % dim) as i64));
        let rows: Vec<i64> = rows.collect();
        Ok(vec![Tensor::new([src[0].shape().rank(), found.len()], rows)?])
    }
}

/// The parts of x along an axis where a condition holds. ONNX `Compress`.
///
/// Shapes: x any, condition \[n\] (bool) with n up to the extent of the axis; y with the number of
/// true ones there, known only with the condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compress {
    /// The axis, negative from the end; none takes single elements, in row-major order.
    pub axis: Option<i64>,
}

impl Op for Compress {
    fn name(&self) -> &'static str {
        "Compress"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let room = match self.axis {
            Some(axis) => src[0].dims()[resolve_axis(axis, src[0].shape.rank())?],
            None => src[0].shape.len(),
        };
        match src[1].dims() {
            &[n] if n <= room && src[1].dtype == DType::Bool => Err(OpError::DependsOnData),
            _ => Err(OpError::mismatch(
                format!("a condition bool [n] with n up to {room}"),
                src[1].to_string(),
                "Give one truth value for each part.",
            )),
        }
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let condition = src[1].get::<bool>()?;
        let kept = condition.iter().enumerate().filter(|(_, keep)| **keep);
        let kept: Vec<i64> = kept.map(|(i, _)| i as i64).collect();
        let rows = super::Gather { axis: self.axis.unwrap_or(0) };
        let indices = Tensor::vector(kept);
        match self.axis {
            Some(_) => rows.evaluate(&[src[0], &indices]),
            None => {
                let flat = src[0].clone().reshaped([src[0].len()])?;
                rows.evaluate(&[&flat, &indices])
            }
        }
    }
}

/// The different elements of x, or its different parts along an axis. ONNX `Unique`.
///
/// Shapes: x any; values \[u\] (or x with u along the axis), the position of each value's first
/// occurrence \[u\], the number of the value of each element \[n\], how often each value occurs
/// \[u\] (all i64); u is known only with the elements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unique {
    /// The axis, negative from the end; none takes single elements.
    pub axis: Option<i64>,
    /// In ascending order; otherwise in the order of first occurrence.
    pub sorted: bool,
}

impl Default for Unique {
    fn default() -> Unique {
        Unique { axis: None, sorted: true }
    }
}

impl Op for Unique {
    fn name(&self) -> &'static str {
        "Unique"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        if let Some(axis) = self.axis {
            resolve_axis(axis, src[0].shape.rank())?;
        }
        Err(OpError::DependsOnData)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 1..=1)?;
        let flat;
        let (x, axis) = match self.axis {
            Some(axis) => (src[0], resolve_axis(axis, src[0].shape().rank())?),
            None => {
                flat = src[0].clone().reshaped([src[0].len()])?;
                (&flat, 0)
            }
        };
        let n = x.dims()[axis];
        let inner: usize = x.dims()[axis + 1..].iter().product();
        let outer: usize = x.dims()[..axis].iter().product();
        // Elements of a part, in row-major order.
        let places = |part: usize| {
            (0..outer * inner).map(move |i| (i / inner * n + part) * inner + i % inner)
        };
        let order = for_elements!(Data, x.data(), x => {
            let compare = |a: &usize, b: &usize| {
                let pairs = places(*a).zip(places(*b));
                let orders = pairs.map(|(a, b)| ascending(x[a], x[b]));
                orders.fold(Ordering::Equal, Ordering::then)
            };
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(compare);
            let chunks = order.chunk_by(|a, b| compare(a, b).is_eq());
            chunks.map(<[usize]>::to_vec).collect::<Vec<_>>()
        });
        let mut groups: Vec<Vec<usize>> = order;
        if !self.sorted {
            groups.sort_by_key(|group| group[0]);
        }
        let first: Vec<i64> = groups.iter().map(|group| group[0] as i64).collect();
        let mut numbers = vec![0i64; n];
        for (number, group) in groups.iter().enumerate() {
            group.iter().for_each(|&at| numbers[at] = number as i64);
        }
        let counts: Vec<i64> = groups.iter().map(|group| group.len() as i64).collect();
        let first = Tensor::vector(first);
        let values = super::Gather { axis: axis as i64 }.evaluate(&[x, &first])?.swap_remove(0);
        Ok(vec![values, first, Tensor::vector(numbers), Tensor::vector(counts)])
    }
}

fn ascending<T: Element>(a: T, b: T) -> Ordering {
    #[allow(clippy::eq_op, reason = "only NaN differs from itself")]
    let unordered = (a != a).cmp(&(b != b));
    a.partial_cmp(&b).unwrap_or(unordered)
}
