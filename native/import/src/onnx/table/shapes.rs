//! Shapes, indices, moving elements.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, between, row};
use nn::ValueId;
use nn::ops::{Flatten, Reshape, Slice, Transpose};
use tensor::Tensor;

pub(super) const ROWS: &[Row] = &[
    row("Concat", 1, |n| {
        let axis = n.int("axis").unwrap_or(1);
        let values = n.inputs()?;
        if values.is_empty() {
            return Err(n.fail("expected at least one input"));
        }
        Ok(vec![n.join(&values, axis)?.into()])
    }),
    row("Flatten", 1, |n| {
        let rank = n.rank(0)? as i64;
        let axis = n.int("axis").unwrap_or(1);
        let axis = usize::try_from(if axis < 0 { axis + rank } else { axis });
        let axis = axis.map_err(|_| n.fail(format!("expected an axis up to {rank}")))?;
        n.map(Flatten { axis })
    }),
    row("Reshape", 1, |n| {
        let shape = n.ints_or("shape", 1)?;
        let mut shape = shape.ok_or_else(|| n.fail("expected a shape"))?;
        if !n.flag("allowzero") {
            let dims = n.src_type(0)?.dims().to_vec();
            for (i, dim) in shape.iter_mut().enumerate().filter(|(_, dim)| **dim == 0) {
                *dim = *dims.get(i).ok_or_else(|| n.fail("0 copies no dimension there"))? as i64;
            }
        }
        reshape(n, shape)
    }),
    row("Squeeze", 1, |n| {
        let ty = n.src_type(0)?;
        let ones = || (0..ty.dims().len()).filter(|&axis| ty.dims()[axis] == 1);
        let axes = match n.ints_or("axes", 1)? {
            Some(axes) => {
                axes.iter().map(|&a| n.axis(a, ty.dims().len())).collect::<Result<_, _>>()?
            }
            None => ones().collect::<Vec<_>>(),
        };
        let x = n.input(0)?;
        Ok(vec![squeeze(n, x, &axes)?.into()])
    }),
    row("Unsqueeze", 1, |n| {
        let axes = n.ints_or("axes", 1)?.ok_or_else(|| n.fail("expected axes"))?;
        let dims = n.src_type(0)?.dims().to_vec();
        let rank = dims.len() + axes.len();
        let axes: Vec<usize> = axes.iter().map(|&a| n.axis(a, rank)).collect::<Result<_, _>>()?;
        let mut left = dims.into_iter();
        let dim = |axis| if axes.contains(&axis) { 1 } else { left.next().unwrap_or(1) as i64 };
        let shape = (0..rank).map(dim).collect();
        reshape(n, shape)
    }),
    row("Split", 1, split),
    row("Transpose", 1, |n| {
        let rank = n.rank(0)?;
        let perm = n.sizes("perm")?.unwrap_or_else(|| (0..rank).rev().collect());
        n.map(Transpose { perm })
    }),
    between("Slice", 1, 9, |n| {
        let starts = n.ints("starts").unwrap_or_default();
        let ends = n.ints("ends").unwrap_or_default();
        let axes = n.ints("axes");
        slice(n, starts, ends, axes, None)
    }),
    row("Slice", 10, |n| {
        let given = |i| if n.has(i) { n.known_ints(i).map(Some) } else { Ok(None) };
        let (axes, steps) = (given(3)?, given(4)?);
        let (starts, ends) = (n.known_ints(1)?, n.known_ints(2)?);
        slice(n, starts, ends, axes, steps)
    }),
];

/// The first input's numbers under other dimensions, of which 0 means 0.
fn reshape(n: &mut Node<'_, '_>, shape: Vec<i64>) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let dims: Option<Vec<usize>> = shape.iter().map(|&dim| dim.try_into().ok()).collect();
    if let Some(dims) = dims.filter(|dims| dims.contains(&0) && ty.shape.is_empty()) {
        // Nothing is the same everywhere.
        return Ok(vec![n.constant(Tensor::zeros(ty.dtype, dims)).into()]);
    }
    Ok(vec![n.one(Reshape { shape }, &[x])?.into()])
}

/// The same numbers without these axes, which are 1 long.
pub(super) fn squeeze(
    n: &mut Node<'_, '_>,
    value: ValueId,
    axes: &[usize],
) -> Result<ValueId, Error> {
    let ty = n.ty(value);
    if let Some(&axis) = axes.iter().find(|&&axis| ty.dims()[axis] != 1) {
        return Err(n.fail(format!("expected a dimension of 1 at axis {axis}, got {ty}")));
    }
    let kept = ty.dims().iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    let shape = kept.map(|(_, &dim)| dim as i64).collect();
    n.one(Reshape { shape }, &[value])
}

fn slice(
    n: &mut Node<'_, '_>,
    starts: Vec<i64>,
    ends: Vec<i64>,
    axes: Option<Vec<i64>>,
    steps: Option<Vec<i64>>,
) -> Made {
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let op = Slice { starts, ends, axes, steps: steps.unwrap_or_default() };
    n.map_first(op)
}

/// The parts of source 0 of these sizes along an axis.
pub(super) fn split_at(
    n: &mut Node<'_, '_>,
    axis: usize,
    sizes: &[usize],
) -> Result<Vec<ValueId>, Error> {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let whole = sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
    if whole.is_none() || whole.as_ref() != ty.dims().get(axis) {
        return Err(n.fail(format!("expected parts of {} at axis {axis}, got {sizes:?}", ty)));
    }
    let mut begin = 0;
    let mut parts = Vec::with_capacity(sizes.len());
    for &size in sizes {
        let end = begin + size as i64;
        let op =
            Slice { starts: vec![begin], ends: vec![end], axes: vec![axis as i64], steps: vec![] };
        parts.push(n.one(op, &[x])?);
        begin = end;
    }
    Ok(parts)
}

/// Parts of given sizes, or as many as there are outputs, of which the last may be smaller.
fn split(n: &mut Node<'_, '_>) -> Made {
    let ty = n.src_type(0)?;
    let axis = n.axis(n.int("axis").unwrap_or(0), ty.dims().len())?;
    let extent = ty.dims().get(axis).copied().unwrap_or(0);
    let sizes = match n.ints_or("split", 1)? {
        Some(sizes) => {
            let sizes: Option<Vec<usize>> = sizes.iter().map(|&s| s.try_into().ok()).collect();
            sizes.ok_or_else(|| n.fail("expected sizes of the parts"))?
        }
        None => {
            let outputs = n.proto.output.len();
            let count = n.int("num_outputs").map_or(Ok(outputs), usize::try_from).unwrap_or(0);
            if count == 0 || count != outputs {
                return Err(n.fail(format!("expected {outputs} parts, one or more, got {count}")));
            }
            let size = extent.div_ceil(count);
            (0..count).map(|i| size.min(extent.saturating_sub(i * size))).collect()
        }
    };
    Ok(split_at(n, axis, &sizes)?.into_iter().map(Value::from).collect())
}
