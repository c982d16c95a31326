//! Sequences and optionals, which exist only while a graph is built.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::shapes::{split_at, squeeze};
use super::{Row, row};
use nn::ValueId;
use nn::ops::{Concat, Reshape};
use tensor::Tensor;

pub(super) const ROWS: &[Row] = &[
    row("SequenceEmpty", 11, |_| Ok(vec![Value::Sequence(Vec::new())])),
    row("SequenceConstruct", 11, |n| Ok(vec![Value::Sequence(n.inputs()?)])),
    row("SequenceLength", 11, |n| {
        let length = Tensor::scalar(n.sequence(0)?.len() as i64);
        Ok(vec![n.constant(length).into()])
    }),
    row("SequenceAt", 11, |n| {
        let values = n.sequence(0)?;
        let at = place(n, 1, values.len(), 0)?;
        Ok(vec![values[at].into()])
    }),
    row("SequenceInsert", 11, |n| {
        let mut values = n.sequence(0)?.to_vec();
        let at = if n.has(2) { place(n, 2, values.len(), 1)? } else { values.len() };
        values.insert(at, n.input(1)?);
        Ok(vec![Value::Sequence(values)])
    }),
    row("SequenceErase", 11, |n| {
        let mut values = n.sequence(0)?.to_vec();
        let last = values.len().saturating_sub(1);
        let at = if n.has(1) { place(n, 1, values.len(), 0)? } else { last };
        if values.is_empty() {
            return Err(n.fail("expected a sequence that is not empty"));
        }
        values.remove(at);
        Ok(vec![Value::Sequence(values)])
    }),
    row("ConcatFromSequence", 11, |n| {
        let axis = n.int("axis").unwrap_or(0);
        let mut values = n.sequence(0)?.to_vec();
        if n.flag("new_axis") {
            for value in &mut values {
                *value = unsqueeze(n, *value, axis)?;
            }
        }
        Ok(vec![n.one(Concat { axis }, &values)?.into()])
    }),
    row("SplitToSequence", 11, split_to_sequence),
    row("Optional", 15, |n| Ok(vec![n.src.first().cloned().unwrap_or(Value::Nothing)])),
    row("OptionalHasElement", 15, |n| {
        let has = Tensor::scalar(n.has(0));
        Ok(vec![n.constant(has).into()])
    }),
    row("OptionalGetElement", 15, |n| match n.src.first() {
        None | Some(Value::Nothing) => Err(n.fail("the optional is empty")),
        Some(value) => Ok(vec![value.clone()]),
    }),
];

/// The index that source `i` is, counted from the end of `count` elements if negative; `behind` of
/// them may lie behind the last.
fn place(n: &Node<'_, '_>, i: usize, count: usize, behind: usize) -> Result<usize, Error> {
    let index = n.known_int(i)?;
    let counted = if index < 0 { index + count as i64 } else { index };
    let at = usize::try_from(counted).ok().filter(|&at| at < count + behind);
    at.ok_or_else(|| n.fail(format!("expected an index below {}, got {index}", count + behind)))
}

/// The same numbers with one more dimension, which may be counted from the end.
fn unsqueeze(n: &mut Node<'_, '_>, value: ValueId, axis: i64) -> Result<ValueId, Error> {
    let mut shape: Vec<i64> = n.ty(value).dims().iter().map(|&dim| dim as i64).collect();
    let at = n.axis(axis, shape.len() + 1)?;
    shape.insert(at, 1);
    n.one(Reshape { shape }, &[value])
}

fn split_to_sequence(n: &mut Node<'_, '_>) -> Made {
    let ty = n.src_type(0)?;
    let axis = n.axis(n.int("axis").unwrap_or(0), ty.dims().len())?;
    let extent = ty.dims()[axis];
    let single = !n.has(1);
    let sizes = if single {
        vec![1; extent]
    } else if n.rank(1)? == 0 {
        let size = usize::try_from(n.known_int(1)?).ok().filter(|&size| size > 0);
        let size = size.ok_or_else(|| n.fail("expected parts of at least one element"))?;
        let mut sizes = vec![size; extent / size];
        sizes.extend(Some(extent % size).filter(|&rest| rest > 0));
        sizes
    } else {
        let sizes: Option<Vec<usize>> =
            n.known_ints(1)?.iter().map(|&size| size.try_into().ok()).collect();
        sizes.ok_or_else(|| n.fail("expected sizes of the parts"))?
    };
    let mut parts = split_at(n, axis, &sizes)?;
    if single && n.int("keepdims") == Some(0) {
        for part in &mut parts {
            *part = squeeze(n, *part, &[axis])?;
        }
    }
    Ok(vec![Value::Sequence(parts)])
}
