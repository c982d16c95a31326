//! What ops share that find elements by computed places: single elements along an axis
//! (`GatherElements`), or whole parts by index vectors (`GatherND`).

use super::gather::{expect_indices, resolve_index};
use crate::OpError;
use tensor::{Shape, Tensor};

/// Parts of `run` elements of a tensor, by the place of their first element.
pub(super) struct Places {
    pub starts: Vec<usize>,
    pub run: usize,
}

impl Places {
    /// Elements whose position along `axis` is replaced by the index at their place.
    pub fn along(data: &Shape, indices: &Tensor, axis: usize) -> Result<Places, OpError> {
        let strides = data.strides();
        let index_strides = indices.shape().strides();
        let mut starts = Vec::with_capacity(indices.len());
        for (i, index) in indices.to_i64s()?.into_iter().enumerate() {
            let mut at = resolve_index(index, data.dims()[axis])? * strides[axis];
            for (d, &dim) in indices.dims().iter().enumerate() {
                if d != axis {
                    at += i / index_strides[d] % dim * strides[d];
                }
            }
            starts.push(at);
        }
        Ok(Places { starts, run: 1 })
    }

    /// Parts found by the vectors in the last dimension of `indices`, within the batch that is
    /// numbered by the first `batch` dimensions of both.
    pub fn by_vectors(data: &Shape, indices: &Tensor, batch: usize) -> Result<Places, OpError> {
        let strides = data.strides();
        let length = indices.dims().last().copied().unwrap_or(0);
        let vectors = indices
            .len()
            .checked_div(length)
            .unwrap_or_else(|| indices.dims()[..indices.shape().rank() - 1].iter().product());
        let batches: usize = data.dims()[..batch].iter().product();
        let per_batch = (vectors / batches.max(1)).max(1);
        let volume: usize = data.dims()[batch..].iter().product();
        let numbers = indices.to_i64s()?;
        let mut starts = Vec::with_capacity(vectors);
        for vector in 0..vectors {
            let mut at = vector / per_batch * volume;
            for (d, &index) in numbers[vector * length..(vector + 1) * length].iter().enumerate() {
                at += resolve_index(index, data.dims()[batch + d])? * strides[batch + d];
            }
            starts.push(at);
        }
        let run = data.dims()[batch + length..].iter().product();
        Ok(Places { starts, run })
    }

    /// The parts one after the other.
    pub fn take<T: Copy>(&self, data: &[T]) -> Vec<T> {
        let parts = self.starts.iter().map(|&at| &data[at..at + self.run]);
        parts.flatten().copied().collect()
    }
}

/// Error unless `GatherElements` and its relatives take these shapes.
pub(super) fn expect_along(
    data: &Shape,
    indices: &crate::TensorType,
    axis: usize,
) -> Result<(), OpError> {
    expect_indices(indices.dtype)?;
    let inside = data.rank() == indices.shape.rank()
        && (0..data.rank()).all(|d| d == axis || indices.dims()[d] <= data.dims()[d]);
    if inside {
        return Ok(());
    }
    Err(OpError::mismatch(
        format!("indices within data {data} but for axis {axis}"),
        format!("indices {}", indices.shape),
        "Cut or expand the indices.",
    ))
}

/// Dimensions of the parts that `GatherND` and its relatives find.
pub(super) fn parts_by_vectors(
    data: &Shape,
    indices: &crate::TensorType,
    batch: usize,
) -> Result<Shape, OpError> {
    expect_indices(indices.dtype)?;
    let fits = indices.dims().split_last().filter(|&(&length, outer)| {
        batch + length <= data.rank()
            && batch <= outer.len()
            && outer[..batch] == data.dims()[..batch]
    });
    match fits {
        Some((&length, outer)) => Ok(Shape::from([outer, &data.dims()[batch + length..]].concat())),
        None => Err(OpError::mismatch(
            format!("index vectors into data {data} with {batch} batch dimensions"),
            format!("indices {}", indices.shape),
            "Let the last dimension count the axes that are indexed.",
        )),
    }
}
