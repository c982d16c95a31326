//! Numbers of 8 and 16 bits that stand for multiples of a scale. Models that hold them compute in
//! floats here, or in whole numbers where ONNX does.

use super::super::Error;
use super::super::node::{Made, Node};
use super::{Row, row};
use nn::ValueId;
use nn::ops::{
    Add, Cast, Clip, Div, Expand, MatMul, Max, Min, Mul, Neg, ReduceMax, ReduceMin, Reshape, Round,
    Slice, Sub,
};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("QuantizeLinear", 10, quantize_linear),
    row("DequantizeLinear", 10, dequantize_linear),
    row("DynamicQuantizeLinear", 11, dynamic_quantize_linear),
    row("MatMulInteger", 10, |n| {
        let (a, b) = (n.input(0)?, n.input(1)?);
        let (a_zero, b_zero) = (optional(n, 2)?, optional(n, 3)?);
        Ok(vec![product(n, [a, b], [a_zero, b_zero])?.into()])
    }),
    row("QLinearMatMul", 10, |n| {
        let [a, a_scale, a_zero, b, b_scale, b_zero, scale, zero] = all(n)?;
        let sums = product(n, [a, b], [Some(a_zero), Some(b_zero)])?;
        let sums = cast(n, sums, DType::F32)?;
        let a_scale = rows(n, a_scale, a)?;
        let mut y = sums;
        for factor in [a_scale, b_scale] {
            let factor = cast(n, factor, DType::F32)?;
            y = n.one(Mul {}, &[y, factor])?;
        }
        let to = n.ty(zero).dtype;
        Ok(vec![quantized(n, y, scale, Some(zero), to)?.into()])
    }),
];

/// The eight sources of a product of quantized matrices.
fn all(n: &Node<'_, '_>) -> Result<[ValueId; 8], Error> {
    let inputs = n.inputs()?;
    inputs.try_into().map_err(|_| n.fail("expected eight inputs"))
}

fn optional(n: &Node<'_, '_>, i: usize) -> Result<Option<ValueId>, Error> {
    if n.has(i) { n.input(i).map(Some) } else { Ok(None) }
}

fn cast(n: &mut Node<'_, '_>, x: ValueId, to: DType) -> Result<ValueId, Error> {
    if n.ty(x).dtype == to { Ok(x) } else { n.one(Cast { to }, &[x]) }
}

/// One number for each row of a matrix, if there is more than one.
fn rows(n: &mut Node<'_, '_>, numbers: ValueId, matrix: ValueId) -> Result<ValueId, Error> {
    let dims = n.ty(numbers).dims().to_vec();
    match dims[..] {
        [count] if count > 1 && n.ty(matrix).dims().len() > 1 => {
            n.one(Reshape { shape: vec![count as i64, 1] }, &[numbers])
        }
        _ => Ok(numbers),
    }
}

/// (a − its zero) · (b − its zero) in whole numbers.
fn product(
    n: &mut Node<'_, '_>,
    [a, b]: [ValueId; 2],
    [a_zero, b_zero]: [Option<ValueId>; 2],
) -> Result<ValueId, Error> {
    let a_zero = a_zero.map(|zero| rows(n, zero, a)).transpose()?;
    let a = shifted(n, a, a_zero)?;
    let b = shifted(n, b, b_zero)?;
    n.one(MatMul::default(), &[a, b])
}

/// x − zero as i32.
fn shifted(n: &mut Node<'_, '_>, x: ValueId, zero: Option<ValueId>) -> Result<ValueId, Error> {
    let x = cast(n, x, DType::I32)?;
    let Some(zero) = zero else { return Ok(x) };
    let zero = cast(n, zero, DType::I32)?;
    n.one(Sub {}, &[x, zero])
}

/// Numbers of a scale spread over x: one for all, one for each place of an axis, or one for each
/// block of places.
fn spread(n: &mut Node<'_, '_>, numbers: ValueId) -> Result<ValueId, Error> {
    let (x, ty) = (n.src_type(0)?, n.ty(numbers));
    let rank = x.dims().len();
    if ty.shape.len() == 1 {
        return n.one(Reshape { shape: vec![] }, &[numbers]);
    }
    let axis = n.axis(n.int("axis").unwrap_or(1), rank)?;
    let block = n.int("block_size").unwrap_or(0);
    if let (&[count], 0) = (ty.dims(), block) {
        let mut shape = vec![1; rank];
        shape[axis] = count as i64;
        return n.one(Reshape { shape }, &[numbers]);
    }
    let size = usize::try_from(block).ok().filter(|&size| size > 0 && ty.dims().len() == rank);
    let size = size.ok_or_else(|| n.fail(format!("the scale {ty} does not fit {x}")))?;
    let mut column: Vec<i64> = ty.dims().iter().map(|&dim| dim as i64).collect();
    let mut shape = column.clone();
    column.insert(axis + 1, 1);
    let column = n.one(Reshape { shape: column }, &[numbers])?;
    let mut repeated = ty.dims().to_vec();
    repeated.insert(axis + 1, size);
    let repeated = n.one(Expand { shape: repeated }, &[column])?;
    shape[axis] *= block;
    let whole = n.one(Reshape { shape }, &[repeated])?;
    let (ends, axes) = (vec![x.dims()[axis] as i64], vec![axis as i64]);
    n.one(Slice { starts: vec![0], ends, axes, steps: vec![] }, &[whole])
}

/// (x − zero) · scale.
fn dequantize_linear(n: &mut Node<'_, '_>) -> Made {
    let (x, scale) = (n.input(0)?, n.input(1)?);
    let to = n.dtype("output_dtype")?.unwrap_or(n.ty(scale).dtype);
    let zero = optional(n, 2)?.map(|zero| spread(n, zero)).transpose()?;
    let whole = shifted(n, x, zero)?;
    let scale = spread(n, scale)?;
    let (whole, scale) = (cast(n, whole, DType::F32)?, cast(n, scale, DType::F32)?);
    let y = n.one(Mul {}, &[whole, scale])?;
    Ok(vec![cast(n, y, to)?.into()])
}

fn quantize_linear(n: &mut Node<'_, '_>) -> Made {
    let (x, scale, zero) = (n.input(0)?, n.input(1)?, optional(n, 2)?);
    let given = n.dtype("output_dtype")?;
    let to = zero.map(|zero| n.ty(zero).dtype).or(given).unwrap_or(DType::U8);
    let x = cast(n, x, DType::F32)?;
    let scale = spread(n, scale)?;
    let zero = zero.map(|zero| spread(n, zero)).transpose()?;
    Ok(vec![quantized(n, x, scale, zero, to)?.into()])
}

/// x / scale, rounded to even, plus zero; within the type's bounds.
fn quantized(
    n: &mut Node<'_, '_>,
    x: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
    to: DType,
) -> Result<ValueId, Error> {
    let (min, max) = match to {
        DType::U8 => (0.0, 255.0),
        DType::I8 => (-128.0, 127.0),
        DType::U16 => (0.0, 65_535.0),
        DType::I16 => (-32_768.0, 32_767.0),
        other => return Err(n.fail(format!("expected 8 or 16 bits, got {other}"))),
    };
    let scale = cast(n, scale, DType::F32)?;
    let y = n.one(Div {}, &[x, scale])?;
    let mut y = n.one(Round {}, &[y])?;
    if let Some(zero) = zero {
        let zero = cast(n, zero, DType::F32)?;
        y = n.one(Add::default(), &[y, zero])?;
    }
    let y = n.one(Clip { min: Some(min), max: Some(max) }, &[y])?;
    n.one(Cast { to }, &[y])
}

/// u8 with the scale that 0 and all of x need: y, scale, zero.
fn dynamic_quantize_linear(n: &mut Node<'_, '_>) -> Made {
    let x = n.input(0)?;
    let none = n.constant(Tensor::scalar(0.0f32));
    let (keepdims, noop_with_empty_axes) = (false, false);
    let highest = n.one(ReduceMax { axes: vec![], keepdims, noop_with_empty_axes }, &[x])?;
    let highest = n.one(Max {}, &[highest, none])?;
    let lowest = n.one(ReduceMin { axes: vec![], keepdims, noop_with_empty_axes }, &[x])?;
    let lowest = n.one(Min {}, &[lowest, none])?;
    let span = n.one(Sub {}, &[highest, lowest])?;
    let steps = n.constant(Tensor::scalar(255.0f32));
    let scale = n.one(Div {}, &[span, steps])?;
    let below = n.one(Neg {}, &[lowest])?;
    let zero = quantized(n, below, scale, None, DType::U8)?;
    let y = quantized(n, x, scale, Some(zero), DType::U8)?;
    Ok(vec![y.into(), scale.into(), zero.into()])
}
