//! Normalizations and what is like them.

use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, between, row};
use nn::Op;
use nn::ops::{BatchNormalization, Dropout, Flatten, LogSoftmax, Reshape, Softmax};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("BatchNormalization", 1, batch_normalization),
    between("Softmax", 1, 12, |n| {
        let axis = n.int("axis").unwrap_or(1);
        flattened(n, axis, Softmax { axis: 1 })
    }),
    row("Softmax", 13, |n| n.map(Softmax { axis: n.int("axis").unwrap_or(-1) })),
    between("LogSoftmax", 1, 12, |n| {
        let axis = n.int("axis").unwrap_or(1);
        flattened(n, axis, LogSoftmax { axis: 1 })
    }),
    row("LogSoftmax", 13, |n| n.map(LogSoftmax { axis: n.int("axis").unwrap_or(-1) })),
    row("Dropout", 1, dropout),
];

/// Opsets before 13 take all dimensions from an axis on as one.
pub(super) fn flattened(n: &mut Node<'_, '_>, axis: i64, op: impl Op) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let axis = n.axis(axis, ty.dims().len())?;
    let matrix = n.one(Flatten { axis }, &[x])?;
    let y = n.one(op, &[matrix])?;
    let shape = ty.dims().iter().map(|&dim| dim as i64).collect();
    Ok(vec![n.one(Reshape { shape }, &[y])?.into()])
}

fn batch_normalization(n: &mut Node<'_, '_>) -> Made {
    // Opsets before 14 train if more than y is asked for; those before 7 say `is_test` beside.
    let outputs = n.proto.output.len();
    let op = BatchNormalization {
        epsilon: n.float("epsilon").unwrap_or(1e-5),
        momentum: n.float("momentum").unwrap_or(0.9),
        training: n.flag("training_mode") || n.version < 14 && outputs > 1,
    };
    let mut src = n.inputs()?;
    let ty = n.src_type(0)?;
    // With `spatial` = 0 each place of a sample has statistics of its own.
    let each = n.int("spatial") == Some(0) && ty.dims().len() > 2;
    if each {
        let places: usize = ty.dims()[1..].iter().product();
        src[0] = n.one(Reshape { shape: vec![ty.dims()[0] as i64, places as i64] }, &[src[0]])?;
        for statistic in &mut src[1..] {
            *statistic = n.one(Reshape { shape: vec![places as i64] }, &[*statistic])?;
        }
    }
    let mut made = n.add(op, &src)?;
    if each {
        let dims: Vec<i64> = ty.dims().iter().map(|&dim| dim as i64).collect();
        for (i, value) in made.iter_mut().enumerate() {
            let shape = if i == 0 { dims.clone() } else { dims[1..].to_vec() };
            *value = n.one(Reshape { shape }, &[*value])?;
        }
    }
    Ok(made.into_iter().take(outputs).map(Value::from).collect())
}

fn dropout(n: &mut Node<'_, '_>) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let ratio = match n.float("ratio") {
        Some(ratio) => ratio,
        None if n.version >= 12 && n.has(1) => n.known_float(1)? as f32,
        None => 0.5,
    };
    let training = n.version >= 12 && n.has(2) && n.known(2)?.get::<bool>()? == [true];
    if training && ratio > 0.0 {
        let (salt, mask) = (n.salt(), n.proto.output.len() > 1);
        let made = n.add(Dropout { ratio, training, salt, mask }, &[x])?;
        return Ok(made.into_iter().map(Value::from).collect());
    }
    let dtype = if n.version >= 10 { DType::Bool } else { ty.dtype };
    let ones = Tensor::new(ty.shape.clone(), vec![true; ty.shape.len()])?.cast(dtype);
    let mask = n.constant(ones);
    Ok(vec![x.into(), mask.into()])
}
