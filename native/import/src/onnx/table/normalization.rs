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
    // Opsets before 7 say `is_test`; models of that time are for inference unless they say more.
    let training = n.flag("training_mode");
    if n.int("spatial") == Some(0) {
        return Err(n.fail("statistics per place (spatial = 0) are not supported"));
    }
    let op = BatchNormalization {
        epsilon: n.float("epsilon").unwrap_or(1e-5),
        momentum: n.float("momentum").unwrap_or(0.9),
        training,
    };
    let src = n.inputs()?;
    let made = n.add(op, &src)?;
    // Of ours, the new running statistics are the second and third value too.
    Ok(made.into_iter().take(3).map(Value::from).collect())
}

fn dropout(n: &mut Node<'_, '_>) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let ratio = match n.float("ratio") {
        Some(ratio) => ratio,
        None if n.version >= 12 && n.has(1) => n.known_float(1)? as f32,
        None => 0.5,
    };
    let training = n.version >= 12 && n.has(2) && n.known(2)?.get::<bool>()? == [true];
    let y = if training && ratio > 0.0 {
        // The mask would have to be the one that was applied.
        if n.proto.output.len() > 1 {
            return Err(n.fail("the mask of a dropout in training is not supported"));
        }
        n.one(Dropout { ratio, training, ..Dropout::default() }, &[x])?
    } else {
        x
    };
    let dtype = if n.version >= 10 { DType::Bool } else { ty.dtype };
    let ones = Tensor::new(ty.shape.clone(), vec![true; ty.shape.len()])?.cast(dtype);
    let mask = n.constant(ones);
    Ok(vec![y.into(), mask.into()])
}
