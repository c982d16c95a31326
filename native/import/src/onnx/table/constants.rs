//! Values that the model itself gives.

use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, row};
use nn::ops::{ConstantOfShape, EyeLike, Range, Shape, Size};
use tensor::Tensor;

pub(super) const ROWS: &[Row] = &[
    row("Constant", 1, constant),
    row("ConstantOfShape", 9, |n| {
        let shape = sizes(n, 0)?;
        let tensor = n.tensor("value")?.unwrap_or_else(|| Tensor::vector(vec![0.0f32]));
        let value = super::wide(&tensor, 0).filter(|_| tensor.len() == 1);
        let value = value.ok_or_else(|| n.fail("expected a value of one element"))?;
        n.given(ConstantOfShape { shape, value, dtype: tensor.dtype() })
    }),
    row("Identity", 1, |n| Ok(vec![n.src.first().cloned().unwrap_or(Value::Nothing)])),
    row("Shape", 1, |n| n.map(Shape { start: n.int("start").unwrap_or(0), end: n.int("end") })),
    row("Size", 1, |n| n.map(Size {})),
    row("Range", 11, range),
    row("EyeLike", 9, |n| {
        let (k, dtype) = (n.int("k").unwrap_or(0), n.dtype("dtype")?);
        n.map(EyeLike { k, dtype })
    }),
];

fn constant(n: &mut Node<'_, '_>) -> Made {
    let tensor = if let Some(tensor) = n.tensor("value")? {
        tensor
    } else if let Some(tensor) = n.tensor("sparse_value")? {
        tensor
    } else if let Some(value) = n.float("value_float") {
        Tensor::scalar(value)
    } else if let Some(values) = n.floats("value_floats") {
        Tensor::vector(values)
    } else if let Some(value) = n.int("value_int") {
        Tensor::scalar(value)
    } else if let Some(values) = n.ints("value_ints") {
        Tensor::vector(values)
    } else {
        return Err(n.fail("expected numbers as value; strings are not supported"));
    };
    Ok(vec![n.constant(tensor).into()])
}

/// Most elements of a tensor that a model may ask for by a few numbers.
pub(super) const MOST_ELEMENTS: usize = 1 << 28;

/// Source `i` as dimensions of a tensor that can be had.
pub(super) fn sizes(n: &Node<'_, '_>, i: usize) -> Result<Vec<usize>, super::super::Error> {
    let ints = n.known_ints(i)?;
    let dims: Option<Vec<usize>> = ints.iter().map(|&dim| dim.try_into().ok()).collect();
    let fits = |dims: &Vec<usize>| {
        let len = dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim));
        len.is_some_and(|len| len <= MOST_ELEMENTS)
    };
    dims.filter(fits).ok_or_else(|| {
        n.fail(format!("expected dimensions of at most {MOST_ELEMENTS} elements, got {ints:?}"))
    })
}

fn range(n: &mut Node<'_, '_>) -> Made {
    let number = |i: usize| {
        let number = super::wide(n.known(i)?, 0);
        number.ok_or_else(|| n.fail(format!("expected one number as input {i}, got none")))
    };
    let (start, limit, delta) = (number(0)?, number(1)?, number(2)?);
    let dtype = n.src_type(0)?.dtype;
    n.given(Range { start, limit, delta, dtype })
}
