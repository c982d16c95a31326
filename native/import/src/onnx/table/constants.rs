//! Values that the model itself gives.

use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, row};
use nn::ops::{BlackmanWindow, EyeLike, HammingWindow, HannWindow};
use tensor::{DType, Tensor, for_dtype};

pub(super) const ROWS: &[Row] = &[
    row("Constant", 1, constant),
    row("ConstantOfShape", 9, |n| {
        let dims = sizes(n, 0)?;
        let value = n.tensor("value")?.unwrap_or_else(|| Tensor::vector(vec![0.0f32]));
        if value.len() != 1 {
            return Err(n.fail(format!("expected a value of one element, got {}", value.len())));
        }
        let made = for_dtype!(value.dtype(), T => {
            let element = value.get::<T>()?[0];
            Tensor::new(dims.clone(), vec![element; dims.iter().product()])?
        });
        Ok(vec![n.constant(made).into()])
    }),
    row("Identity", 1, |n| Ok(vec![n.src.first().cloned().unwrap_or(Value::Nothing)])),
    row("Shape", 1, |n| {
        let dims: Vec<i64> = n.src_type(0)?.dims().iter().map(|&dim| dim as i64).collect();
        let place = |at: i64| {
            let rank = dims.len() as i64;
            (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize
        };
        let start = place(n.int("start").unwrap_or(0));
        let end = place(n.int("end").unwrap_or(i64::MAX));
        let dims = dims.get(start..end.max(start)).unwrap_or_default().to_vec();
        Ok(vec![n.constant(Tensor::vector(dims)).into()])
    }),
    row("Size", 1, |n| {
        let size = n.src_type(0)?.shape.len() as i64;
        Ok(vec![n.constant(Tensor::scalar(size)).into()])
    }),
    row("Range", 11, range),
    row("EyeLike", 9, |n| {
        let (k, dtype) = (n.int("k").unwrap_or(0), n.dtype("dtype")?);
        n.map(EyeLike { k, dtype })
    }),
    row("HannWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(HannWindow { size, periodic, dtype })
    }),
    row("HammingWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(HammingWindow { size, periodic, dtype })
    }),
    row("BlackmanWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(BlackmanWindow { size, periodic, dtype })
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
    let (start, limit, delta) = (n.known(0)?, n.known(1)?, n.known(2)?);
    let dtype = start.dtype();
    let made = if dtype.is_integer() {
        let (start, limit, delta) = (n.known_int(0)?, n.known_int(1)?, n.known_int(2)?);
        if delta == 0 {
            return Err(n.fail("expected a step that is not 0"));
        }
        let (span, step) = (i128::from(limit) - i128::from(start), i128::from(delta));
        let count = (span / step + i128::from(span % step != 0 && (span < 0) == (step < 0))).max(0);
        let count = count_of(n, count as f64)?;
        let values = (0..count as i64).map(|i| start.wrapping_add(i.wrapping_mul(delta)));
        Tensor::vector(values.collect::<Vec<i64>>()).cast(dtype)
    } else {
        debug_assert!(limit.dtype().is_float() && delta.dtype().is_float());
        let (start, limit, delta) = (n.known_float(0)?, n.known_float(1)?, n.known_float(2)?);
        let count = count_of(n, ((limit - start) / delta).ceil().max(0.0))?;
        let values = (0..count).map(|i| start + i as f64 * delta);
        Tensor::vector(values.collect::<Vec<f64>>()).cast(dtype)
    };
    Ok(vec![n.constant(made).into()])
}

fn count_of(n: &Node<'_, '_>, count: f64) -> Result<usize, super::super::Error> {
    if count <= MOST_ELEMENTS as f64 {
        return Ok(count as usize);
    }
    Err(n.fail(format!("expected at most {MOST_ELEMENTS} elements, got {count}")))
}

/// The size of a window, whether it goes on without end, and the type of its elements.
fn window(n: &Node<'_, '_>) -> Result<(usize, bool, DType), super::super::Error> {
    let size = count_of(n, n.known_int(0)?.max(0) as f64)?;
    let dtype = n.dtype("output_datatype")?.unwrap_or(DType::F32);
    Ok((size, n.int("periodic") != Some(0), dtype))
}
